/**
 * Verification of a chain line by line: that each line is the one canonical text of one record, that the record is
 * what its hash says, and that it continues the chain. Also for whoever takes in records that somebody else wrote.
 */
import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import { CanonicalError, canonicalizeWithout, fillGap, type Gap } from "../canonical.ts";
import type { ChainState } from "../chain.ts";
import { AuditRecord } from "../record.ts";
import type { ProblemCode } from "./verdict.ts";

export interface Fault {
  readonly code: ProblemCode;
  readonly message: string;
}

export type LineReading = { readonly ok: true; record: AuditRecord } | ({ readonly ok: false } & Fault);

const NEWLINE = 0x0a;

/** The lines of a segment without their newlines; `ended` is false for a last line that has none. */
export function* splitLines(content: Buffer): Generator<{ line: Buffer; ended: boolean }> {
  for (let start = 0; start < content.length; ) {
    const end = content.indexOf(NEWLINE, start);
    const ended = end !== -1;
    yield { line: content.subarray(start, ended ? end : content.length), ended };
    start = ended ? end + 1 : content.length;
  }
}

export class ChainVerifier {
  #state: ChainState | undefined;

  /** Without a state the first record is taken as the one that belongs there. */
  constructor(from?: ChainState) {
    this.#state = from;
  }

  /** Undefined before the first record of a chain whose start is not known. */
  get state(): ChainState | undefined {
    return this.#state;
  }

  /** Moves on only when the line is right. After a line that is not, nothing that follows means anything. */
  verifyLine({ line, ended }: { line: Buffer; ended: boolean }): LineReading {
    if (!ended) {
      return fault("record_cut_off", "its line does not end");
    }
    const reading = readLine(line);
    if (!reading.ok) {
      return reading;
    }
    const { record } = reading;
    const wrongLink = this.#findWrongLink(record);
    if (wrongLink) {
      return { ok: false, ...wrongLink };
    }
    this.#state = { nextSeq: record.seq + 1, head: record.hash, time: record.time };
    return reading;
  }

  #findWrongLink({ seq, prev, time }: AuditRecord): Fault | undefined {
    if (this.#state !== undefined && seq !== this.#state.nextSeq) {
      return { code: "seq_gap", message: `record ${seq} stands where record ${this.#state.nextSeq} is due` };
    }
    if (this.#state !== undefined && prev !== this.#state.head) {
      return { code: "chain_broken", message: "its prev is not the hash of the record before it" };
    }
    if (this.#state?.time !== undefined && time < this.#state.time) {
      return { code: "time_backwards", message: `its time ${time} is before that of the record before it` };
    }
    return undefined;
  }
}

/** One record by itself: canonical, what its hash says, and of a known kind. */
function readLine(line: Buffer): LineReading {
  if (!isUtf8(line)) {
    return fault("record_malformed", "its line is not UTF-8");
  }
  const text = line.toString("utf8");
  const value = parseObject(text);
  if (value === undefined) {
    return fault("record_malformed", "its line is not a JSON object");
  }
  const gap = writeWithoutHash(value);
  const stated = "hash" in value ? value.hash : undefined;
  if (gap === undefined || typeof stated !== "string") {
    return fault(
      "record_malformed",
      gap ? "it has no hash" : "it is nested too deeply or holds no Unicode text",
    );
  }
  const canonical = fillGap(gap, `"hash":${JSON.stringify(stated)}`);
  if (canonical !== text) {
    const place = findDifference(canonical, text);
    return fault("record_not_canonical", `its line is not canonical JSON from character ${place} on`);
  }
  if (hash("sha256", gap.text, "hex") !== stated) {
    return fault("record_changed", "its content is not what its hash says");
  }
  const parsed = AuditRecord.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.join(".") ?? "";
    return fault("record_malformed", `it does not fit the schema of records${path && ` at ${path}`}`);
  }
  return { ok: true, record: parsed.data };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      return undefined;
    }
    throw cause;
  }
}

/** Undefined for a value that has no canonical form, such as one nested too deeply. */
function writeWithoutHash(value: object): Gap | undefined {
  try {
    return canonicalizeWithout(value, "hash");
  } catch (cause) {
    if (cause instanceof CanonicalError) {
      return undefined;
    }
    throw cause;
  }
}

function findDifference(left: string, right: string): number {
  let place = 0;
  while (place < left.length && left[place] === right[place]) {
    place++;
  }
  return place + 1;
}

function fault(code: ProblemCode, message: string): LineReading {
  return { ok: false, code, message };
}
