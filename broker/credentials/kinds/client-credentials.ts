/**
 * `client-credentials`: an access token for the broker itself as a client of the server's authorization server
 * (RFC 6749, section 4.4), minted for each session and ended with it where that server ends tokens.
 */
import type { CredentialKind } from "../kind.ts";
import { checkProof, endGranted, identifyGranted, requestToken } from "../oauth/token-request.ts";

export const clientCredentials: CredentialKind<"client-credentials"> = {
  name: "client-credentials",
  lifetime: "session",
  asksFor: "the client's secret, or its private key as a JWK",
  checkSecret: checkProof,
  mint: (context) => requestToken(context, async () => ({ type: "client_credentials", parameters: {} })),
  end: endGranted,
  identify: identifyGranted,
};
