/**
 * How a refusal leaves: the public sentence and a reference to the caller, code and detail under that reference to the log.
 */
import { randomBytes } from "node:crypto";
import type { FastifyReply } from "fastify";
import type { Refusal } from "../contract.ts";
import { type PublicAnswer, REFUSALS, type RefusalCode, type Refused } from "../refusals.ts";

export interface AnswerOptions {
  /** `WWW-Authenticate`: what is wrong is the caller's authentication, so the answer is a 401. */
  readonly challenge?: string | undefined;
  /** The subject token came by RFC 7523, which has another name for what is wrong with one. */
  readonly asAssertion?: boolean;
  /** What was thrown, for the log. */
  readonly cause?: unknown;
}

const answered = new WeakMap<FastifyReply, RefusalCode>();

/** Why this request was refused, once it was: for metrics. */
export function refusalOf(reply: FastifyReply): RefusalCode | undefined {
  return answered.get(reply);
}

export function answerRefusal(
  reply: FastifyReply,
  { code, detail, mismatches }: Omit<Refused, "ok">,
  { challenge, asAssertion = false, cause }: AnswerOptions = {},
): FastifyReply {
  const answer: PublicAnswer = REFUSALS[code];
  const { status, sentence, assertionError, retryAfterSeconds } = answer;
  answered.set(reply, code);
  const error = asAssertion ? (assertionError ?? answer.error) : answer.error;
  const reference = randomBytes(6).toString("hex");
  const entry = { reference, code, detail, mismatches, ...(cause === undefined ? {} : { err: cause }) };
  if (status >= 500) {
    reply.log.error(entry, "refused");
  } else {
    reply.log.warn(entry, "refused");
  }
  if (challenge !== undefined) {
    reply.header("www-authenticate", challenge);
  }
  if (retryAfterSeconds !== undefined) reply.header("retry-after", String(retryAfterSeconds));
  const body: Refusal = { error, error_description: sentence, reference };
  return reply
    .code(challenge === undefined ? status : 401)
    .header("cache-control", "no-store")
    .type("application/json; charset=utf-8")
    .send(body);
}
