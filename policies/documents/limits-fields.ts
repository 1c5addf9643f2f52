/**
 * `limits` of a server in `servers.yaml`: numbers with units, each within its ceiling or the document does not load.
 */
import * as z from "zod/mini";
import { type Bounds, LIMIT_BOUNDS, type ServerLimits } from "../server-limits.ts";
import { DURATION, secondsOf, writeDuration } from "./duration.ts";
import { bytesOf, SIZE, writeSize } from "./size.ts";

interface Unit {
  readonly pattern: RegExp;
  readonly expected: string;
  readonly read: (text: string) => number;
  readonly write: (value: number) => string;
}

const SIZES: Unit = {
  pattern: SIZE,
  expected: "expected a whole number with a unit: 512KiB, 4MiB or 2GiB",
  read: bytesOf,
  write: writeSize,
};
const TIMES: Unit = {
  pattern: DURATION,
  expected: "expected a whole number with a unit: 90s, 15m or 2h",
  read: secondsOf,
  write: writeDuration,
};

const expectBetween = ({ min, max }: Bounds, write: (value: number) => string): string =>
  `expected between ${write(min)} and ${write(max)}`;

/** One text: what has no unit has no size either, so there is one message of each. */
const amount = ({ pattern, expected, read, write }: Unit, bounds: Bounds, description: string) =>
  z.optional(
    z.string().check(
      z.regex(pattern, expected),
      z.refine<string>(
        (text) => {
          const value = pattern.test(text) ? read(text) : bounds.min;
          return value >= bounds.min && value <= bounds.max;
        },
        expectBetween(bounds, write),
      ),
      z.describe(`${description} ${write(bounds.min)} to ${write(bounds.max)}.`),
    ),
  );

const wholeNumber = (bounds: Bounds, description: string) => {
  const expected = expectBetween(bounds, String);
  return z.optional(
    z
      .int()
      .check(
        z.minimum(bounds.min, expected),
        z.maximum(bounds.max, expected),
        z.describe(`${description} ${bounds.min} to ${bounds.max}.`),
      ),
  );
};

const {
  request_bytes,
  answer_bytes,
  concurrent_calls,
  calls_per_minute,
  call_seconds,
  stream_idle_seconds,
  sessions,
  restarts,
  memory_bytes,
} = LIMIT_BOUNDS;

export const LimitsEntry = z.strictObject({
  request_size: amount(SIZES, request_bytes, "The largest request of an agent."),
  answer_size: amount(SIZES, answer_bytes, "The largest single message of the server."),
  concurrent_calls: wholeNumber(concurrent_calls, "Requests in work at the same time, all agents together."),
  calls_per_minute: wholeNumber(calls_per_minute, "Calls within any 60 seconds, all agents together."),
  call_time: amount(TIMES, call_seconds, "From a call's start to its answer."),
  stream_idle: amount(TIMES, stream_idle_seconds, "How long a stream stays open on which nothing comes."),
  sessions: wholeNumber(sessions, "Sessions with a handshake; of a command, its processes."),
  restarts: wholeNumber(restarts, "Of a command: how often within 10 minutes it is started again."),
  memory: amount(SIZES, memory_bytes, "Of a command: memory of one process with all that it forks."),
});
export type LimitsEntry = z.infer<typeof LimitsEntry>;

/** Those that only a command has. */
export const PROCESS_LIMITS = ["restarts", "memory"] as const satisfies readonly (keyof LimitsEntry)[];

/** What travels of them; undefined where nothing is set. */
export function readLimits(entry: LimitsEntry | undefined): ServerLimits | undefined {
  if (entry === undefined || Object.keys(entry).length === 0) {
    return undefined;
  }
  const { request_size, answer_size, call_time, stream_idle, memory, ...counts } = entry;
  return {
    ...counts,
    ...(request_size !== undefined && { request_bytes: bytesOf(request_size) }),
    ...(answer_size !== undefined && { answer_bytes: bytesOf(answer_size) }),
    ...(call_time !== undefined && { call_seconds: secondsOf(call_time) }),
    ...(stream_idle !== undefined && { stream_idle_seconds: secondsOf(stream_idle) }),
    ...(memory !== undefined && { memory_bytes: bytesOf(memory) }),
  };
}
