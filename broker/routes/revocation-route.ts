/**
 * `POST /revoke` (RFC 7009): whoever proves a session's key ends the session with any of its tokens.
 * Every token gets the same answer, whether it was revoked, is somebody else's, was revoked before or is none.
 */
import type { FastifyInstance } from "fastify";
import { verifyProof } from "../identity/dpop-proof.ts";
import { refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import { revokeToken } from "../sessions/revocation.ts";
import { clientChallenge } from "./challenge.ts";
import { parseOAuthForm } from "./oauth-form.ts";
import { OAUTH_PATHS } from "./oauth-metadata.ts";
import { answerRefusal } from "./refusal-answer.ts";
import { markRevoked } from "./revocation-mark.ts";

export function registerRevocationRoute(app: FastifyInstance, services: Services): void {
  const { publicUrl, now } = services;
  app.post(OAUTH_PATHS.revoke, async (request, reply) => {
    const form = parseOAuthForm(request, { path: OAUTH_PATHS.revoke, authentication: "none" });
    if (!form.ok) {
      const challenge = clientChallenge(form.code, request.headers.authorization);
      return answerRefusal(reply, form, { challenge });
    }
    const token = form.parameters.get("token");
    if (token === undefined) return answerRefusal(reply, refuse("request_malformed", "there is no token"));
    const proof = await verifyProof(request.headers["dpop"], {
      method: "POST",
      url: `${publicUrl}${OAUTH_PATHS.revoke}`,
      now: now(),
    });
    if (!proof.ok) return answerRefusal(reply, proof);

    const outcome = await revokeToken({ token, proof }, services);
    if (!outcome.ok) return answerRefusal(reply, outcome);
    if (outcome.revoked) markRevoked(reply);
    const { ok: _, ...entry } = outcome;
    request.log.info(entry, "revocation");
    return reply.code(200).header("cache-control", "no-store").send();
  });
}
