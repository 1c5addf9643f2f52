/**
 * A side of its own behind the front door, for requests that carry its mark: its token is good there alone, no other
 * token is, and nothing that is asked there counts or is recorded. What the door refuses, it refuses there as well.
 */
import type { Gate } from "../gate/gate.ts";
import type { Recording } from "../recording.ts";

/** The header field that carries the mark. */
export const PROBE_FIELD = "lanyard-probe";

export interface Probe {
  /** Too long to guess. */
  readonly mark: string;
  readonly token: string;
  readonly gates: ReadonlyMap<string, Gate>;
  /** That goes nowhere. */
  readonly recording: Recording;
}
