/** Which answers are those to requests that ended a session: from outside a revocation looks the same either way. */
import type { FastifyReply } from "fastify";

const marked = new WeakSet<FastifyReply>();

export function markRevoked(reply: FastifyReply): void {
  marked.add(reply);
}

/** For metrics. */
export function wasRevoked(reply: FastifyReply): boolean {
  return marked.has(reply);
}
