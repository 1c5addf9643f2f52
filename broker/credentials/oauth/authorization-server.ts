/**
 * An authorization server by its issuer: what it publishes about itself (RFC 8414, or OpenID Connect Discovery), and
 * only where it says that it is that issuer. Every address in it is checked before anything is asked there.
 */
import {
  type AuthorizationServer,
  OperationProcessingError,
  discoveryRequest,
  processDiscoveryResponse,
} from "oauth4webapi";
import type { AskIssuer } from "../kind.ts";
import { sendThrough } from "./guarded-oauth.ts";
import { checkNamedAddress } from "./named-address.ts";
import { OauthRefused } from "./refusal.ts";

const ENDPOINTS = {
  authorization_endpoint: "authorization endpoint",
  token_endpoint: "token endpoint",
  registration_endpoint: "registration endpoint",
  revocation_endpoint: "revocation endpoint",
  introspection_endpoint: "introspection endpoint",
  userinfo_endpoint: "userinfo endpoint",
} as const;

/**
 * `namedBy`: absent where the documents name the issuer, or a person trusted it before. Throws `OauthRefused`, and what
 * the guarded client and the library throw.
 */
export async function discoverServer(
  issuer: string,
  ask: AskIssuer,
  namedBy = issuer,
): Promise<AuthorizationServer> {
  const identifier = new URL(issuer);
  for (const algorithm of ["oauth2", "oidc"] as const) {
    const response = await discoveryRequest(identifier, { algorithm, ...sendThrough(ask, namedBy) });
    if (response.status >= 400 && response.status < 500 && response.status !== 429) continue;
    return checkMetadata(await readMetadata(identifier, response), issuer);
  }
  throw new OauthRefused(
    `${issuer} publishes no metadata (RFC 8414): check the issuer, or write token_url where the kind has it.`,
  );
}

/** One that publishes nothing; the operator wrote where its tokens are given out. */
export function describeServer(tokenUrl: string): AuthorizationServer {
  return { issuer: tokenUrl, token_endpoint: tokenUrl };
}

async function readMetadata(identifier: URL, response: Response): Promise<AuthorizationServer> {
  try {
    return await processDiscoveryResponse(identifier, response);
  } catch (error) {
    // The library reads the published issuer as a URL before it compares it.
    const isAnother =
      error instanceof OperationProcessingError
        ? error.code === "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED"
        : error instanceof TypeError && "code" in error && error.code === "ERR_INVALID_URL";
    if (!isAnother) throw error;
    throw new OauthRefused(
      `What ${identifier.origin} publishes is about another issuer than ${identifier.href}: nothing is sent to either.`,
      { cause: error },
    );
  }
}

function checkMetadata(server: AuthorizationServer, issuer: string): AuthorizationServer {
  const checked: Record<string, string> = {};
  for (const [name, what] of Object.entries(ENDPOINTS)) {
    const address: unknown = server[name];
    if (address !== undefined) checked[name] = checkNamedAddress(address, { what, by: issuer });
  }
  // Aliases for client certificates, which the broker has none of: their addresses were not looked at.
  const { mtls_endpoint_aliases: _, ...rest } = server;
  return { ...rest, ...checked };
}
