/**
 * The manifest: what the broker saw stored, signed by it, beside the segments.
 * With it, a missing, swapped or changed object is noticed without asking the broker.
 */
import * as z from "zod/mini";
import { Digest, Timestamp, Workload } from "./record.ts";

/**
 * `runner` is written by the proxy under its key; `recovered` by whoever could prove to be the job after the proxy was
 * gone; `relay` by the broker, of the calls that it relayed.
 */
export const StreamName = z.enum(["runner", "recovered", "relay"]);
export type StreamName = z.infer<typeof StreamName>;

export const SegmentEntry = z.strictObject({
  /** Relative to the manifest of a session: `runner/000001.jsonl.zst`. */
  object: z.string(),
  bytes: z.int().check(z.positive()),
  sha256: Digest,
  first_seq: z.int().check(z.nonnegative()),
  last_seq: z.int().check(z.nonnegative()),
  /** `prev` of its first record and `hash` of its last. */
  prev: Digest,
  head: Digest,
});
export type SegmentEntry = z.infer<typeof SegmentEntry>;

export const Finding = z.strictObject({
  kind: z.enum(["takeover_attempt", "recovery_refused", "recovered_while_alive"]),
  time: Timestamp,
  detail: z.string(),
});
export type Finding = z.infer<typeof Finding>;

export const Manifest = z.strictObject({
  v: z.literal(1),
  session: z.string(),
  workload: Workload,
  robot: z.string(),
  /**
   * `sealed`: the log is complete. `recovered`: it ends where the recovered stream ends, and nobody witnessed that stream.
   * `relay`: the manifest of the broker's own stream alone, which says nothing of the others.
   */
  status: z.enum(["sealed", "recovered", "relay"]),
  /** Segments of `runner` that were stored. */
  runner: z.array(SegmentEntry),
  /** The tail of a spool that was handed in after the proxy was gone. */
  recovered: z.array(SegmentEntry),
  /** What the broker wrote of the calls that it relayed: all of it. Absent where it relayed none. */
  relay: z.optional(z.array(SegmentEntry)),
  findings: z.array(Finding),
  written_at: Timestamp,
  /** Compact JWS with detached payload (RFC 7515, appendix F) over the canonical manifest without this member. */
  signature: z.string(),
});
export type Manifest = z.infer<typeof Manifest>;

/** What a checkpoint's JWS (`typ: lanyard-checkpoint+jwt`) says. */
export const CheckpointClaims = z.strictObject({
  session: z.string(),
  segment: z.int().check(z.positive()),
  sha256: Digest,
  seq: z.int().check(z.nonnegative()),
  head: Digest,
  /** Seconds since the epoch, by the broker's clock. */
  iat: z.int(),
});
export type CheckpointClaims = z.infer<typeof CheckpointClaims>;
