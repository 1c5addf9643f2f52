/**
 * `POST /token`: a subject token and a proof of a key become an access token, whichever of the two grants it came by.
 * Everything after the parsing of the form is one path; the grant only chooses the words of the answer.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ACCESS_TOKEN_TYPE, JWT_BEARER_GRANT } from "../contract.ts";
import { verifyProof } from "../identity/dpop-proof.ts";
import type { Refused } from "../refusals.ts";
import type { Services } from "../services.ts";
import { type Exchanged, exchange } from "../sessions/exchange.ts";
import { parseScope } from "../sessions/scope.ts";
import { clientChallenge } from "./challenge.ts";
import { OAUTH_PATHS } from "./oauth-metadata.ts";
import { parseOAuthForm } from "./oauth-form.ts";
import { answerRefusal } from "./refusal-answer.ts";
import { type ParsedTokenRequest, TARGET_PARAMETERS, parseTokenRequest } from "./token-request.ts";

export function registerTokenRoute(app: FastifyInstance, services: Services): void {
  app.post(OAUTH_PATHS.token, async (request, reply) => {
    const form = parseOAuthForm(request, {
      path: OAUTH_PATHS.token,
      repeatable: TARGET_PARAMETERS,
      authentication: "none",
    });
    if (!form.ok) {
      return answerRefusal(reply, form, {
        challenge: clientChallenge(form.code, request.headers.authorization),
      });
    }
    const asked = parseTokenRequest(form, services.publicUrl);
    if (!asked.ok) return answerRefusal(reply, asked);
    const asAssertion = asked.grant === JWT_BEARER_GRANT;
    const exchanged = await answer(asked, { request, services });
    if (!exchanged.ok) return answerRefusal(reply, exchanged, { asAssertion });
    const { id: session, robot, run, binding } = exchanged.session;
    request.log.info({ session, robot, run, binding, renamedTo: exchanged.renamedTo }, "session");
    const issued = asAssertion ? {} : { issued_token_type: ACCESS_TOKEN_TYPE };
    return withoutStore(reply).send({ ...exchanged.response, ...issued });
  });
}

async function answer(
  asked: ParsedTokenRequest,
  { request, services }: { request: FastifyRequest; services: Services },
): Promise<Exchanged | Refused> {
  const scope = parseScope(asked.scope);
  if (!scope.ok) return scope;
  const proof = await verifyProof(request.headers["dpop"], {
    method: "POST",
    url: `${services.publicUrl}${OAUTH_PATHS.token}`,
    now: services.now(),
  });
  if (!proof.ok) return proof;
  const subject = await services.subjectTokens.verify(asked.subjectToken);
  if (!subject.ok) return subject;
  const unstorable = await services.bucketWatch.check();
  return unstorable ?? (await exchange({ subject, proof, scope }, services));
}

/** RFC 6749, section 5.1: no cache keeps a token. */
function withoutStore(reply: FastifyReply): FastifyReply {
  return reply.header("cache-control", "no-store").header("pragma", "no-cache");
}
