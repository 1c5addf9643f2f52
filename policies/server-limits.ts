/**
 * Limits that the registry may set for one server, within ceilings that hold whatever it says. What is not set has the
 * proxy's default. Travels to a proxy as plain numbers; the document writes them with units people read.
 */
import * as z from "zod/mini";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const HOUR_SECONDS = 3600;

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A limit may not be so low that nothing passes, and not so high that one server takes what belongs to all. */
export const LIMIT_BOUNDS = {
  request_bytes: { min: 4 * KIB, max: 16 * MIB },
  /** Held as one text: half of what the engine can hold at all. */
  answer_bytes: { min: 64 * KIB, max: 256 * MIB },
  /** As many as the proxy takes for all servers together. */
  concurrent_calls: { min: 1, max: 256 },
  calls_per_minute: { min: 1, max: 60_000 },
  /** The longest job on a hosted runner. */
  call_seconds: { min: 1, max: 6 * HOUR_SECONDS },
  stream_idle_seconds: { min: 10, max: 6 * HOUR_SECONDS },
  sessions: { min: 1, max: 256 },
  restarts: { min: 0, max: 20 },
  memory_bytes: { min: 64 * MIB, max: 64 * GIB },
} as const satisfies Record<string, Bounds>;

const within = ({ min, max }: Bounds) => z.optional(z.int().check(z.minimum(min), z.maximum(max)));

export const ServerLimits = z.strictObject({
  request_bytes: within(LIMIT_BOUNDS.request_bytes),
  answer_bytes: within(LIMIT_BOUNDS.answer_bytes),
  concurrent_calls: within(LIMIT_BOUNDS.concurrent_calls),
  calls_per_minute: within(LIMIT_BOUNDS.calls_per_minute),
  call_seconds: within(LIMIT_BOUNDS.call_seconds),
  stream_idle_seconds: within(LIMIT_BOUNDS.stream_idle_seconds),
  sessions: within(LIMIT_BOUNDS.sessions),
  restarts: within(LIMIT_BOUNDS.restarts),
  memory_bytes: within(LIMIT_BOUNDS.memory_bytes),
});
export type ServerLimits = z.infer<typeof ServerLimits>;
