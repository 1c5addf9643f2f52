/**
 * The tail of a spool that somebody handed in after the proxy was gone. Whoever did could have written it:
 * it is read line by line as far as it is a chain of records, compared with what the broker had witnessed, and believed
 * in nothing.
 */
import { ChainVerifier, splitLines } from "../../audit/verification/chain-verification.ts";
import { type AuditRecord, GENESIS_PREV } from "../../audit/record.ts";
import { SegmentRefused, unpackSegment } from "../../audit/segment.ts";
import { MAX_UNSENT_BYTES } from "../contract.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { SegmentCheck } from "./stored-segments.ts";

export interface Tail {
  /** What is to be stored: the records that are in no stored segment, as they were handed in. */
  readonly lines: readonly Buffer[];
  readonly first: AuditRecord | undefined;
  readonly last: AuditRecord | undefined;
  /** It links to the last stored record and holds all that the broker had countersigned. */
  readonly continuesChain: boolean;
  /** Why reading ended before the end; undefined when it did not, or only a last line was cut off by the proxy's death. */
  readonly fault: string | undefined;
}

/** `text` is base64 of a packed segment; empty when there are no records. */
export async function unpackTail(text: string): Promise<{ readonly ok: true; content: Buffer } | Refused> {
  if (text === "") return { ok: true, content: Buffer.alloc(0) };
  const packed = Buffer.from(text, "base64");
  if (packed.toString("base64") !== text) {
    return refuse("tail_malformed", "it is not canonical base64");
  }
  try {
    return { ok: true, content: await unpackSegment(packed, MAX_UNSENT_BYTES) };
  } catch (error) {
    if (error instanceof SegmentRefused) return refuse("tail_malformed", error.message);
    throw error;
  }
}

/** `checks` are all announced segments, in order. */
export function readTail(content: Buffer, checks: readonly SegmentCheck[]): Tail {
  const gap = checks.findIndex(({ stored }) => !stored);
  const [kept, lost] = gap === -1 ? [checks, []] : [checks.slice(0, gap), checks.slice(gap)];
  const lastStored = kept.at(-1)?.row;
  const due = { seq: (lastStored?.last_seq ?? -1) + 1, prev: lastStored?.head ?? GENESIS_PREV };

  const verifier = new ChainVerifier();
  const lines: Buffer[] = [];
  const hashes = new Map<number, string>();
  let [first, last, fault]: [AuditRecord | undefined, AuditRecord | undefined, string | undefined] = [
    undefined,
    undefined,
    undefined,
  ];
  for (const line of splitLines(content)) {
    const reading = verifier.verifyLine(line);
    if (!reading.ok) {
      fault = reading.code === "record_cut_off" ? undefined : reading.message;
      break;
    }
    const { record } = reading;
    if (record.seq < due.seq) continue;
    lines.push(line.line);
    hashes.set(record.seq, record.hash);
    first ??= record;
    last = record;
  }
  const links = first === undefined || (first.seq === due.seq && first.prev === due.prev);
  const holdsWitnessed = lost.every(({ row }) => hashes.get(row.last_seq) === row.head);
  return { lines, first, last, continuesChain: links && holdsWitnessed, fault };
}
