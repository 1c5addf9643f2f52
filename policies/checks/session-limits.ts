/**
 * How long the sessions of a robot last: its own numbers, or the defaults.
 */
import { secondsOf } from "../documents/duration.ts";
import type { Robot } from "../documents/robots-document.ts";

/** A leaked token dies in minutes. */
const defaultTtl = "15m";
/** The longest job on a hosted runner. */
const defaultMax = "6h";
const shortestTtlSeconds = 60;
const longestTtlSeconds = 3600;
/** The longest job on a self-hosted runner. */
const longestMaxSeconds = 120 * 3600;

export interface SessionLimits {
  readonly ttlSeconds: number;
  /** No renewal reaches beyond it. */
  readonly maxSeconds: number;
}

export function sessionLimitsOf(robot: Robot): SessionLimits {
  return {
    ttlSeconds: secondsOf(robot.session?.ttl ?? defaultTtl),
    maxSeconds: secondsOf(robot.session?.max ?? defaultMax),
  };
}

/** What is wrong with them, with the key that is at fault. */
export function checkSessionLimits(robot: Robot): { key: "ttl" | "max"; message: string } | undefined {
  const { ttlSeconds, maxSeconds } = sessionLimitsOf(robot);
  if (ttlSeconds < shortestTtlSeconds || ttlSeconds > longestTtlSeconds) {
    return { key: "ttl", message: "expected between 1m and 1h: sessions are renewed while the job runs" };
  }
  if (maxSeconds > longestMaxSeconds) {
    return { key: "max", message: "expected at most 120h, the longest that a job can run" };
  }
  if (maxSeconds < ttlSeconds) {
    return {
      key: "max",
      message: `a session lasts ${robot.session?.ttl ?? defaultTtl} already: write a longer max`,
    };
  }
  return undefined;
}
