/**
 * What a proxy left in its spool, read after it is gone: the records so far, and the tail that nobody countersigned.
 * The file may have been changed by whoever ended the proxy: reading stops at the first line that is no record.
 */
import { closeSync, readSync } from "node:fs";
import { AuditRecord, type RecordOf } from "../../audit/record.ts";
import { MAX_UNSENT_BYTES } from "../../broker/contract.ts";
import { openForeignFile } from "../runner/private-files.ts";
import { type TallyReport, createTally } from "../guard/tally.ts";

export interface SpoolContent {
  readonly genesis: RecordOf<"genesis"> | undefined;
  readonly tally: TallyReport;
  readonly records: number;
  /** Whole lines after what the last checkpoint covers. */
  readonly tail: string;
  /** The last record is a seal; whether the broker took it is not known here. */
  readonly endsWithSeal: boolean;
  /** Something follows the last record: a write that was cut off, or what is no record. */
  readonly isCutShort: boolean;
}

const CHUNK_BYTES = 1024 * 1024;
/** More than any job records; post must come to an end whatever was put in the spool's place. */
const MAX_SPOOL_BYTES = 1024 * 1024 * 1024;
/** Longer than any record: a line that does not end is no line. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** Undefined: there is no such file. */
export function readSpool(path: string): SpoolContent | undefined {
  const descriptor = openForeignFile(path);
  if (descriptor === undefined) return undefined;
  try {
    return collect(readLines(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function collect(lines: Iterable<Line>): SpoolContent {
  const tally = createTally();
  let tail: { readonly seq: number; readonly text: string; readonly bytes: number }[] = [];
  let genesis: RecordOf<"genesis"> | undefined;
  let [records, bytesRead, tailBytes, endsWithSeal, isCutShort] = [0, 0, 0, false, false];
  for (const { text, isWhole, bytes } of lines) {
    // No proxy leaves a longer tail, and nobody takes one.
    const isReadable = isWhole && tailBytes + bytes <= MAX_UNSENT_BYTES && bytesRead <= MAX_SPOOL_BYTES;
    const record = isReadable ? parseRecord(text) : undefined;
    if (record === undefined) {
      isCutShort = true;
      break;
    }
    bytesRead += bytes;
    records += 1;
    tally.add(record);
    if (record.kind === "genesis") genesis ??= record;
    if (record.kind === "checkpoint") {
      tail = tail.filter(({ seq }) => seq > record.last_seq);
      tailBytes = tail.reduce((sum, line) => sum + line.bytes, 0);
    }
    tail.push({ seq: record.seq, text, bytes });
    tailBytes += bytes;
    endsWithSeal = record.kind === "seal";
  }
  const text = tail.map((line) => `${line.text}\n`).join("");
  return {
    genesis,
    tally: tally.report(),
    records,
    tail: text,
    endsWithSeal,
    isCutShort,
  };
}

interface Line {
  readonly text: string;
  /** Ended by a line feed. */
  readonly isWhole: boolean;
  readonly bytes: number;
}

/** In pieces: a spool can be longer than memory. */
function* readLines(descriptor: number): Generator<Line> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest = Buffer.alloc(0);
  for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
    rest = Buffer.concat([rest, chunk.subarray(0, read)]);
    for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED)) {
      yield { text: rest.toString("utf8", 0, end), isWhole: true, bytes: end + 1 };
      rest = rest.subarray(end + 1);
    }
    if (rest.length > MAX_LINE_BYTES) {
      yield { text: "", isWhole: false, bytes: rest.length };
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0) yield { text: rest.toString("utf8"), isWhole: false, bytes: rest.length };
}

function parseRecord(text: string): AuditRecord | undefined {
  try {
    const parsed = AuditRecord.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
