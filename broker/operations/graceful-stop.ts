/**
 * Stopping a server so that nothing that began is lost: no new connection is taken, what is in progress is answered,
 * each connection is closed after its answer. Whoever takes too long is cut off.
 */
import type { Server } from "node:http";
import type { FastifyInstance } from "fastify";
import { refuse } from "../refusals.ts";
import { answerRefusal } from "../routes/refusal-answer.ts";

/** Connections become idle one by one. */
const LOOK_EVERY_MS = 50;

export interface GracefulStop {
  /** Resolves when the last connection is closed. */
  stop(timeoutMs: number): Promise<void>;
}

/** Before the routes are registered. */
export function prepareStop(app: FastifyInstance, server: Server): GracefulStop {
  let isStopping = false;
  app.addHook("onRequest", (request, reply, done) => {
    if (!isStopping) return done();
    reply.header("connection", "close");
    // Whoever balances the load shall look elsewhere; anything else is answered as long as it can be.
    if (request.routeOptions.url !== "/readyz") return done();
    answerRefusal(reply, refuse("busy", "the broker is stopping"));
  });
  app.addHook("onSend", async (_request, reply) => {
    if (isStopping && !reply.raw.headersSent) reply.header("connection", "close");
  });
  return {
    async stop(timeoutMs) {
      isStopping = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      const closing = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
      const cutting = setTimeout(() => server.closeAllConnections(), timeoutMs);
      await promise;
      clearInterval(closing);
      clearTimeout(cutting);
    },
  };
}
