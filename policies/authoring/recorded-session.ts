/**
 * A session that was recorded, as far as a policy is concerned: who it was, and what it asked for, in order.
 * Where it was read from is another room's business.
 */
import type { Target } from "../decision.ts";

export interface RecordedCall extends Target {
  readonly agent: string;
  /** Undefined where the log holds only their digest. */
  readonly args: Readonly<Record<string, unknown>> | undefined;
  /** Those of them, by name, in which something was replaced: a condition on one may then decide otherwise than it did. */
  readonly redacted: readonly string[];
  readonly wasAllowed: boolean;
  /** As the log gives it: `granted`, `observed`, `no_grant` … */
  readonly reason: string;
}

export interface RecordedSession {
  readonly session: string;
  /** `OWNER/REPO run N attempt N`: for people. */
  readonly run: string;
  /** `OWNER/REPO/NAME`. */
  readonly robot: string;
  readonly roles: readonly string[];
  readonly mode: "enforce" | "observe";
  /** Verified by the broker when the session began. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly calls: readonly RecordedCall[];
}
