/**
 * What clients discover: the broker as an authorization server (RFC 8414) and as a protected resource (RFC 9728).
 * Both documents name only what is there, and every address in them is built from the public URL.
 */
import { JWT_BEARER_GRANT, TOKEN_EXCHANGE_GRANT } from "../contract.ts";

/** RFC 9449, section 5.1: as `identity/dpop-proof.ts` accepts them. */
export const PROOF_ALGORITHMS = ["ES256"];

export const OAUTH_PATHS = {
  authorizationServer: "/.well-known/oauth-authorization-server",
  protectedResource: "/.well-known/oauth-protected-resource",
  keys: "/.well-known/jwks.json",
  authorize: "/authorize",
  token: "/token",
  revoke: "/revoke",
  introspect: "/introspect",
} as const;

export function authorizationServerMetadata(publicUrl: string): Record<string, unknown> {
  const at = (path: string): string => `${publicUrl}${path}`;
  return {
    issuer: publicUrl,
    token_endpoint: at(OAUTH_PATHS.token),
    jwks_uri: at(OAUTH_PATHS.keys),
    grant_types_supported: [TOKEN_EXCHANGE_GRANT, JWT_BEARER_GRANT],
    // No client is registered: who asks is shown by the subject token and bound to the key of the proof.
    token_endpoint_auth_methods_supported: ["none"],
    dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
    revocation_endpoint: at(OAUTH_PATHS.revoke),
    revocation_endpoint_auth_methods_supported: ["none"],
    introspection_endpoint: at(OAUTH_PATHS.introspect),
    // Section 2 of RFC 8414 allows names of access token types here.
    introspection_endpoint_auth_methods_supported: ["Bearer"],
    protected_resources: [publicUrl],
    // Both grants do without an authorization endpoint. But the MCP SDK reads no metadata that lacks one, and
    // section 2 wants `response_types_supported` while section 3.2 forbids an empty list: so there is an endpoint that
    // refuses, and the response type that yields nothing.
    authorization_endpoint: at(OAUTH_PATHS.authorize),
    response_types_supported: ["none"],
  };
}

export function protectedResourceMetadata(publicUrl: string): Record<string, unknown> {
  return {
    resource: publicUrl,
    resource_name: "Lanyard",
    authorization_servers: [publicUrl],
    bearer_methods_supported: ["header"],
    dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
    dpop_bound_access_tokens_required: true,
  };
}
