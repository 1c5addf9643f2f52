/**
 * The headers of every answer that is for a program: a browser that is led there shows nothing, runs nothing and
 * guesses no type. Pages say more, see pages/layout.ts. Whoever terminates TLS decides about the rest of its host.
 */
import type { FastifyInstance } from "fastify";

export const ANSWER_HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** Before the routes are registered. */
export function addAnswerHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers(ANSWER_HEADERS);
    done();
  });
}
