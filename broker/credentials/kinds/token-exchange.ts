/**
 * `token-exchange`: an access token for the robot (RFC 8693). The broker says to the server's authorization server which
 * robot it is and which job acts as it, so that the server's own log can tell them apart.
 */
import type { CredentialKind, MintingSession } from "../kind.ts";
import { checkProof, endGranted, identifyGranted, requestToken } from "../oauth/token-request.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

export const tokenExchange: CredentialKind<"token-exchange"> = {
  name: "token-exchange",
  lifetime: "session",
  asksFor: "the client's secret, or its private key as a JWK",
  checkSecret: checkProof,
  mint: (context) =>
    requestToken(context, async (audience) => {
      const { session } = context;
      if (session === undefined) throw new Error("a token was to be exchanged without a session");
      const subject_token = await context.signAssertion({
        audience,
        subject: session.robot,
        act: describeWorkload(session),
      });
      const parameters = { subject_token, subject_token_type: JWT, requested_token_type: ACCESS_TOKEN };
      return { type: GRANT, parameters };
    }),
  end: endGranted,
  identify: identifyGranted,
};

/** RFC 8693, section 4.1: who acts, beside the robot in whose name it acts. */
function describeWorkload({ claims, ...session }: MintingSession): Record<string, unknown> {
  return {
    iss: claims["iss"],
    sub: claims["sub"],
    repository: session.repository,
    repository_id: session.repositoryId,
    run_id: session.runId,
    run_attempt: session.runAttempt,
  };
}
