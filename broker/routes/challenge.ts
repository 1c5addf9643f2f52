/**
 * `WWW-Authenticate`: what a 401 asks for. A session's endpoints want a token and a proof (RFC 9449, section 7.1),
 * introspection an operator's token (RFC 6750, section 3), the token endpoint nothing that a client could bring.
 */
import type { RefusalCode } from "../refusals.ts";
import { OAUTH_PATHS, PROOF_ALGORITHMS } from "./oauth-metadata.ts";

/** RFC 6750, section 3.1: a request that brought no token is told of no error. */
const ERRORS: Partial<Record<RefusalCode, string | null>> = {
  access_token_missing: null,
  access_token_invalid: "invalid_token",
  session_over: "invalid_token",
  proof_invalid: "invalid_dpop_proof",
  proof_replayed: "invalid_dpop_proof",
};

/** With where the metadata is (RFC 9728, section 5.1). Undefined: the refusal is not about the token or its proof. */
export function sessionChallenge(code: RefusalCode, publicUrl: string): string | undefined {
  const error = ERRORS[code];
  if (error === undefined) return undefined;
  const parameters = {
    ...(error === null ? {} : { error }),
    algs: PROOF_ALGORITHMS.join(" "),
    resource_metadata: `${publicUrl}${OAUTH_PATHS.protectedResource}`,
  };
  return `DPoP ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${value}"`)
    .join(", ")}`;
}

export function operatorChallenge(code: RefusalCode): string | undefined {
  switch (code) {
    case "operator_token_missing":
      return "Bearer";
    case "operator_token_invalid":
      return 'Bearer error="invalid_token"';
    default:
      return undefined;
  }
}

/** RFC 6749, section 5.2, wants the scheme that the client used; one we do not know is not repeated. */
const KNOWN_SCHEMES = ["Basic", "Bearer", "DPoP"];

export function clientChallenge(code: RefusalCode, authorization = ""): string | undefined {
  if (code !== "client_authentication_unsupported") return undefined;
  const used = authorization.split(" ", 1)[0]?.toLowerCase();
  return `${KNOWN_SCHEMES.find((scheme) => scheme.toLowerCase() === used) ?? "Basic"} realm="lanyard"`;
}
