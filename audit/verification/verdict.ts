/**
 * What verification says about the log of one session: a status, and every problem by its place.
 */
import type { Manifest } from "../manifest.ts";
import type { PresentedCredential } from "./presented-credentials.ts";
import type { AuditRecord, Digest, RecordOf, Totals, Workload } from "../record.ts";

/** Stable: scripts may branch on it. */
export type ProblemCode =
  // What the broker wrote.
  | "manifest_missing"
  | "manifest_malformed"
  | "manifest_signature"
  | "manifest_contradicts"
  | "key_unknown"
  | "key_distrusted"
  | "location_mismatch"
  // What lies in the bucket.
  | "object_unexpected"
  | "too_many_objects"
  | "segment_missing"
  | "segment_unlisted"
  | "segment_changed"
  | "segment_swapped"
  | "segment_unreadable"
  | "segment_too_large"
  | "segment_empty"
  // What a record is.
  | "record_malformed"
  | "record_not_canonical"
  | "record_cut_off"
  | "record_changed"
  | "chain_broken"
  | "seq_gap"
  | "time_backwards"
  // What records say together.
  | "genesis_missing"
  | "genesis_repeated"
  | "genesis_mismatch"
  | "call_repeated"
  | "result_without_call"
  | "record_after_seal"
  | "seal_missing"
  | "totals_mismatch"
  | "checkpoint_signature"
  | "checkpoint_mismatch"
  // What calls were sent with.
  | "credential_expired"
  // What the broker's log of the calls that it relayed says beside the runner's.
  | "relay_call_unrecorded"
  | "relay_call_differs"
  | "relay_call_refused"
  | "relay_call_missing"
  // What was handed in after the proxy was gone.
  | "recovered"
  | "tail_discontinuous"
  // There are more.
  | "problems_left_out";

export interface Problem {
  /** An object, and what can be named in it: `runner/000002.jsonl.zst record 17`, `manifest.json runner[1].sha256`. */
  readonly part: string;
  readonly code: ProblemCode;
  /** One sentence. It may quote the log: whoever prints it makes it harmless first. */
  readonly message: string;
  /** False: it is told, and does not by itself make the log a broken one. */
  readonly breaks: boolean;
}

/**
 * `complete`: sealed, and every byte is what the broker witnessed. `incomplete`: never sealed; what is there fits
 * together. `recovered`: never sealed, its tail handed in later and witnessed by nobody. `broken`: does not verify.
 */
export type VerdictStatus = "complete" | "incomplete" | "recovered" | "broken";

export interface Verdict {
  readonly status: VerdictStatus;
  /** From the manifest when its signature verifies, else as the genesis says. Undefined where neither can be read. */
  readonly session: string | undefined;
  readonly robot: string | undefined;
  readonly workload: Workload | undefined;
  readonly problems: readonly Problem[];
  /** Of the runner's stream, as far as they fit together; of a broken log they prove nothing. */
  readonly records: readonly AuditRecord[];
  /** Of the recovered tail, those that come after `records`. Nobody witnessed them. */
  readonly recovered: readonly AuditRecord[];
  /** How many there are, kept or not. */
  readonly recordCount: number;
  readonly recoveredCount: number;
  /** Of the log that the broker kept of the calls that it relayed; 0: it relayed none. */
  readonly relayCount: number;
  /** Counted from the runner's stream, not taken from its seal. */
  readonly totals: Totals;
  /** What servers got to see with calls, as far as the log says, stream by stream. */
  readonly credentials: readonly PresentedCredential[];
  /** Records that name others than those: more than any honest session has. */
  readonly credentialsLeftOut: number;
  /** By the id of a call that was relayed: what the broker sent it with. As many as there are `records` at most. */
  readonly relayedWith: ReadonlyMap<string, NonNullable<RecordOf<"call">["credential"]>>;
  /** Only when its signature verifies. */
  readonly manifest: Manifest | undefined;
  /** Checkpoints in the runner's stream that verify. */
  readonly checkpoints: number;
  /** The last record that the broker put its signature under: by a checkpoint or by the manifest. */
  readonly witnessedSeq: number | undefined;
  /** `hash` of the last of the runner's records that fits. */
  readonly head: Digest | undefined;
  /** The ids of the keys whose signatures verify. */
  readonly keys: readonly string[];
}
