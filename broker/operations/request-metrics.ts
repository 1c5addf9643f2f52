/**
 * Counts requests as they are answered: what an endpoint did is read off its route, its status and its refusal, so
 * that no endpoint has to know that it is counted.
 */
import type { FastifyInstance } from "fastify";
import { type RefusalCode } from "../refusals.ts";
import { refusalOf } from "../routes/refusal-answer.ts";
import { wasRevoked } from "../routes/revocation-mark.ts";
import type { Metrics } from "./metrics.ts";

interface Answered {
  readonly endpoint: string;
  readonly status: number;
  readonly refusal: RefusalCode | undefined;
  readonly seconds: number;
}

export function countRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook("onResponse", (request, reply, done) => {
    const refusal = refusalOf(reply);
    if (refusal !== undefined) metrics.countRefusal(refusal);
    if (wasRevoked(reply)) metrics.countSessions("revoked", 1);
    countEndpoint(
      {
        endpoint: `${request.method} ${request.routeOptions.url ?? ""}`,
        status: reply.statusCode,
        refusal,
        seconds: reply.elapsedTime / 1000,
      },
      metrics,
    );
    done();
  });
}

function countEndpoint({ endpoint, status, refusal, seconds }: Answered, metrics: Metrics): void {
  const done = status < 300;
  switch (endpoint) {
    case "POST /token":
      metrics.countExchange(done ? "issued" : (refusal ?? "broker_failed"), seconds);
      if (done) metrics.countSessions("active", 1);
      return;
    case "POST /session/renew":
      return metrics.countRenewal(done ? "renewed" : "refused");
    case "POST /session/segments":
      return metrics.countSegment(done ? "countersigned" : "refused");
    case "POST /session/seal":
      if (done) metrics.countSessions("sealed", 1);
      return metrics.countSeal(done ? "sealed" : refusal === undefined ? "segments_missing" : "refused");
    case "POST /session/recover":
      if (done) metrics.countSessions("recovered", 1);
      return metrics.countRecovery(done ? "recovered" : "refused");
    default:
      return;
  }
}
