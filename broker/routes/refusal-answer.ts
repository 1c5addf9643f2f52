/**
 * How a refusal leaves: the public sentence and a reference to the caller, code and detail under that reference to the log.
 */
import { randomBytes } from "node:crypto";
import type { FastifyReply } from "fastify";
import type { Refusal } from "../contract.ts";
import { REFUSALS, type RefusalCode, type Refused } from "../refusals.ts";

/** RFC 9449, section 7.1. */
const CHALLENGED: readonly RefusalCode[] = ["access_token_invalid", "proof_invalid", "proof_replayed"];

export interface AnswerOptions {
  /** The endpoint wants an access token, so what is wrong with it or its proof is a 401. */
  readonly protectedResource?: boolean;
  /** What was thrown, for the log. */
  readonly cause?: unknown;
}

export function answerRefusal(
  reply: FastifyReply,
  { code, detail }: Omit<Refused, "ok">,
  { protectedResource = false, cause }: AnswerOptions = {},
): FastifyReply {
  const { status, error, sentence } = REFUSALS[code];
  const reference = randomBytes(6).toString("hex");
  const entry = { reference, code, detail, ...(cause === undefined ? {} : { err: cause }) };
  if (status >= 500) {
    reply.log.error(entry, "refused");
  } else {
    reply.log.warn(entry, "refused");
  }
  const challenged = protectedResource && CHALLENGED.includes(code);
  if (challenged) {
    reply.header("www-authenticate", `DPoP error="${error}", algs="ES256"`);
  }
  const body: Refusal = { error, error_description: sentence, reference };
  return reply
    .code(challenged ? 401 : status)
    .header("cache-control", "no-store")
    .type("application/json; charset=utf-8")
    .send(body);
}
