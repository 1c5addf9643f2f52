/**
 * Reads the records of one segment as far as they are right: unpacked, canonical and linked to each other.
 */
import type { ChainState } from "../chain.ts";
import { ChainVerifier, type Fault, splitLines } from "./chain-verification.ts";
import type { AuditRecord } from "../record.ts";
import { MAX_SEGMENT_BYTES, SegmentRefused, unpackReadable, unpackSegment } from "../segment.ts";

export interface SegmentReading {
  /** Those before the first fault. */
  readonly records: readonly AuditRecord[];
  /** Where the chain stands after them; undefined when neither a start nor a record tells. */
  readonly end: ChainState | undefined;
  readonly fault: Fault | undefined;
}

/** Without a `start` the first record is taken as the one that belongs there. */
export async function readSegment(body: Uint8Array, start: ChainState | undefined): Promise<SegmentReading> {
  try {
    return readRecords(await unpackSegment(body, MAX_SEGMENT_BYTES), start);
  } catch (cause) {
    if (!(cause instanceof SegmentRefused)) {
      throw cause;
    }
    return cause.code === "segment_too_large"
      ? { records: [], end: start, fault: { code: cause.code, message: cause.message } }
      : readDamaged(body, start);
  }
}

/** Damage is told as the first wrong record where one can be seen, else as bytes that cannot be unpacked. */
async function readDamaged(body: Uint8Array, start: ChainState | undefined): Promise<SegmentReading> {
  const reading = readRecords(await unpackReadable(body, MAX_SEGMENT_BYTES), start);
  const { records, end, fault } = reading;
  if (fault !== undefined && fault.code !== "record_cut_off" && fault.code !== "segment_empty") {
    return reading;
  }
  const readable = records.length > 0 ? ` after record ${(end?.nextSeq ?? 0) - 1}` : "";
  return { records, end, fault: { code: "segment_unreadable", message: `it cannot be unpacked${readable}` } };
}

function readRecords(content: Buffer, start: ChainState | undefined): SegmentReading {
  const chain = new ChainVerifier(start);
  const records: AuditRecord[] = [];
  for (const line of splitLines(content)) {
    const reading = chain.verifyLine(line);
    if (!reading.ok) {
      return { records, end: chain.state, fault: { code: reading.code, message: reading.message } };
    }
    records.push(reading.record);
  }
  const fault: Fault | undefined =
    records.length === 0 ? { code: "segment_empty", message: "it holds no records" } : undefined;
  return { records, end: chain.state, fault };
}
