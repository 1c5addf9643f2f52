/**
 * How a page and a refusal of the API are sent.
 */
import type { FastifyReply } from "fastify";

export function sendPage(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).type("text/html; charset=utf-8").send(page);
}

export function sendRefusal(
  reply: FastifyReply,
  status: number,
  refusal: { error: string; error_description: string },
): FastifyReply {
  return reply.code(status).type("application/json; charset=utf-8").send(refusal);
}
