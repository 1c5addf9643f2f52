/**
 * `POST /introspect` (RFC 7662): for operators' programs, with an operator's token as a bearer. Whoever has none learns
 * nothing of any token.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { OperatorAccounts } from "../operators/accounts.ts";
import { GuessLimit } from "../operators/guess-limit.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import { introspect } from "../sessions/introspection.ts";
import { clientChallenge, operatorChallenge } from "./challenge.ts";
import { parseOAuthForm } from "./oauth-form.ts";
import { OAUTH_PATHS } from "./oauth-metadata.ts";
import { answerRefusal } from "./refusal-answer.ts";

const BEARER = /^Bearer +(\S+)$/i;

export function registerIntrospectionRoute(app: FastifyInstance, services: Services): void {
  const { database, now } = services;
  const accounts = new OperatorAccounts(database, now);
  const guesses = new GuessLimit(now);

  app.post(OAUTH_PATHS.introspect, async (request, reply) => {
    const form = parseOAuthForm(request, { path: OAUTH_PATHS.introspect, authentication: "bearer" });
    if (!form.ok) {
      const challenge = clientChallenge(form.code, request.headers.authorization);
      return answerRefusal(reply, form, { challenge });
    }
    const waitSeconds = guesses.secondsToWait(request.ip);
    if (waitSeconds > 0) {
      const refusal = refuse("too_many_guesses", `${request.ip} waits ${waitSeconds} s`);
      return answerRefusal(reply.header("retry-after", waitSeconds), refusal);
    }
    const stranger = await identifyOperator(request, accounts);
    if (stranger !== undefined) {
      if (stranger.code === "operator_token_invalid") guesses.noteFailure(request.ip);
      return answerRefusal(reply, stranger, { challenge: operatorChallenge(stranger.code) });
    }
    const token = form.parameters.get("token");
    if (token === undefined) return answerRefusal(reply, refuse("request_malformed", "there is no token"));
    return reply.header("cache-control", "no-store").send(await introspect(token, services));
  });
}

/** Undefined: it is one. */
async function identifyOperator(
  { headers: { authorization } }: FastifyRequest,
  accounts: OperatorAccounts,
): Promise<Refused | undefined> {
  const token = BEARER.exec(authorization ?? "")?.[1];
  if (token === undefined) return refuse("operator_token_missing", "there is no bearer token");
  const operator = await accounts.findByToken(token);
  return operator === undefined ? refuse("operator_token_invalid", "no operator has it") : undefined;
}
