/**
 * The deadline of a request: whatever it waits for, its caller is answered. One timer looks at all that is in progress,
 * since a timer and a signal for each of them cost as much as verifying its proof.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import { refuse } from "../refusals.ts";
import { answerRefusal } from "../routes/refusal-answer.ts";

export interface DeadlineOptions {
  /** From the last header of a request on. */
  readonly timeoutMs: number;
  /** So much later than that an answer may be. */
  readonly lookEveryMs: number;
  /** Routes that keep their own time. */
  readonly isExempt: (route: string | undefined) => boolean;
}

/** Before the routes are registered. */
export function limitDuration(
  app: FastifyInstance,
  { timeoutMs, lookEveryMs, isExempt }: DeadlineOptions,
): void {
  const startedAt = new Map<FastifyReply, number>();
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [reply, at] of startedAt) {
      // A caller that went away needs no answer, and the end of its request is not reported.
      const isOver = reply.raw.destroyed || now - at >= timeoutMs;
      if (!isOver) continue;
      startedAt.delete(reply);
      cutOff(reply, timeoutMs);
    }
  }, lookEveryMs);
  timer.unref();
  app.addHook("onClose", async () => clearInterval(timer));
  app.addHook("onRequest", (request, reply, done) => {
    if (!isExempt(request.routeOptions.url)) startedAt.set(reply, performance.now());
    done();
  });
  app.addHook("onResponse", (_request, reply, done) => {
    startedAt.delete(reply);
    done();
  });
}

function cutOff(reply: FastifyReply, timeoutMs: number): void {
  if (reply.raw.destroyed) return;
  if (reply.sent || reply.raw.headersSent) {
    // It began to leave and came to a stop: there is no other way to end it.
    reply.raw.destroy();
    return;
  }
  reply.header("connection", "close");
  answerRefusal(reply, refuse("busy", `not answered within ${timeoutMs} ms`));
}
