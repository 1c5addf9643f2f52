/**
 * Load shedding: a broker that is late, or has too much in progress, turns new work away instead of failing at all of
 * it. What began goes first: the endpoints of sessions are turned away at twice the bound of exchanges and pages. What is
 * relayed may be a stream that stays open and costs little: it has a bound of its own, and takes nobody's place.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { FastifyInstance } from "fastify";
import { refuse } from "../refusals.ts";
import { RELAY_ROUTE } from "../routes/relay-route.ts";
import { answerRefusal } from "../routes/refusal-answer.ts";

const SAMPLE_MS = 1_000;
const RESOLUTION_MS = 10;
const NANOSECONDS_PER_MS = 1e6;

export interface LoadOptions {
  readonly maxInFlight: number;
  readonly maxDelayMs: number;
}

export interface Load {
  /** Requests in progress, with what is relayed. */
  inFlight(): number;
  /** How late timers were on average in the last second. */
  delayMs(): number;
}

export function shedLoad(app: FastifyInstance, { maxInFlight, maxDelayMs }: LoadOptions): Load {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const inFlight = { relayed: 0, others: 0 };
  let delayMs = 0;
  const timer = setInterval(() => {
    delayMs = histogram.count === 0 ? 0 : Math.max(0, histogram.mean / NANOSECONDS_PER_MS - RESOLUTION_MS);
    histogram.reset();
  }, SAMPLE_MS);
  timer.unref();
  app.addHook("onClose", async () => {
    clearInterval(timer);
    histogram.disable();
  });
  app.addHook("onRequest", (request, reply, done) => {
    const { url: route = "" } = request.routeOptions;
    const kind = route === RELAY_ROUTE ? "relayed" : "others";
    inFlight[kind] += 1;
    // Also when the caller went away: the connection is what ends in every case.
    reply.raw.once("close", () => {
      inFlight[kind] -= 1;
    });
    if (route === "/healthz") return done();
    const share = route.startsWith("/session") || kind === "relayed" ? 1 : 0.5;
    const isLate = delayMs > maxDelayMs * share * 2;
    if (inFlight[kind] <= maxInFlight * share && !isLate) return done();
    reply.header("connection", "close");
    const detail = `${inFlight[kind]} requests in progress, ${Math.round(delayMs)} ms late`;
    answerRefusal(reply, refuse("busy", detail));
  });
  return { inFlight: () => inFlight.relayed + inFlight.others, delayMs: () => delayMs };
}
