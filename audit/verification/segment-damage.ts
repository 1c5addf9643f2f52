/**
 * Says what is wrong with a stored segment whose bytes are not those that a trusted manifest names,
 * as precisely as can be known: the first wrong record, the segment it really is, or the range it lost.
 */
import type { SegmentEntry } from "../manifest.ts";
import type { Digest } from "../record.ts";
import type { SegmentReading } from "./segment-reading.ts";
import type { ProblemCode } from "./verdict.ts";

export interface DamagedSegment {
  readonly stored: { readonly object: string; readonly bytes: number; readonly sha256: Digest };
  /** What the manifest says of this segment, and of all segments of its stream. */
  readonly entry: SegmentEntry;
  readonly entries: readonly SegmentEntry[];
  /** What was found in the stored bytes. */
  readonly reading: SegmentReading;
}

export interface Damage {
  readonly part: string;
  readonly code: ProblemCode;
  readonly message: string;
  /** Whether the records that were read continue the chain: false when they may all have been written anew. */
  readonly recordsHold: boolean;
}

export function describeDamage({ stored, entry, entries, reading }: DamagedSegment): Damage {
  const { object, sha256 } = stored;
  const range = `records ${entry.first_seq} to ${entry.last_seq}`;
  const other = entries.find((candidate) => candidate.sha256 === sha256);
  if (other !== undefined) {
    const message = `it holds the bytes of ${other.object}; its own ${range} are not there`;
    return { part: object, code: "segment_swapped", message, recordsHold: false };
  }
  const due = reading.end?.nextSeq ?? entry.first_seq;
  const record = `${object} record ${due}`;
  const { fault } = reading;
  if (fault?.code === "segment_unreadable" || fault?.code === "segment_too_large") {
    return {
      part: object,
      code: fault.code,
      message: `${fault.message}; it held the ${range}`,
      recordsHold: true,
    };
  }
  if (fault !== undefined) {
    return { part: record, code: fault.code, message: fault.message, recordsHold: true };
  }
  if (reading.end?.head === entry.head) {
    const message = "its bytes are not those that the manifest names, though its records are";
    return { part: object, code: "segment_changed", message, recordsHold: true };
  }
  if (due <= entry.last_seq) {
    const message = `it ends before this record; the manifest names it with the ${range}`;
    return { part: record, code: "segment_changed", message, recordsHold: true };
  }
  if (reading.records.some(({ seq, hash }) => seq === entry.last_seq && hash === entry.head)) {
    const message = `it goes on after record ${entry.last_seq}, with which the manifest ends it`;
    return {
      part: `${object} record ${entry.last_seq + 1}`,
      code: "segment_changed",
      message,
      recordsHold: true,
    };
  }
  const message = `its ${range} fit each other, but do not lead to the chain head that the manifest names: they were written anew`;
  return { part: object, code: "segment_changed", message, recordsHold: false };
}
