/**
 * The hash chain: gives entries their number, time, `prev` and `hash`, and their one line in the log.
 * An entry that does not fit the schema is refused and leaves the chain as it was.
 */
import { hash } from "node:crypto";
import { canonicalizeWithout, fillGap } from "./canonical.ts";
import { surelyFits } from "./entry-glance.ts";
import { type AuditRecord, type Digest, Entry, GENESIS_PREV } from "./record.ts";

/** Where a chain stands: what the next record has to continue. */
export interface ChainState {
  readonly nextSeq: number;
  /** `hash` of the record before it. */
  readonly head: Digest;
  /** `time` of the record before it, where that is known: within a log, time never runs backwards. */
  readonly time?: string;
}

/** Of a line, in characters: a log must be readable again, segment by segment. */
const MAX_LINE_LENGTH = 8 * 1024 * 1024;

export const CHAIN_START: ChainState = { nextSeq: 0, head: GENESIS_PREV };

/** The entry does not fit the schema of records, or is longer than a record may be. */
export class EntryRefused extends Error {
  readonly code = "entry_refused";
}

function readEntry(entry: Entry): Entry {
  const checked = Entry.safeParse(entry);
  if (!checked.success) {
    throw new EntryRefused("the entry does not fit the schema of records", { cause: checked.error });
  }
  return checked.data;
}

export class Chain {
  #nextSeq: number;
  #head: Digest;
  #latestMs: number;

  constructor(from: ChainState = CHAIN_START) {
    this.#nextSeq = from.nextSeq;
    this.#head = from.head;
    this.#latestMs = from.time === undefined ? 0 : Date.parse(from.time);
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** `hash` of the last record. */
  get head(): Digest {
    return this.#head;
  }

  /**
   * The next record and its line, newline included. `time` is the writer's clock; when it was set back, the record
   * repeats the time before it: within a log, time never runs backwards. Throws `EntryRefused` or `CanonicalError`.
   */
  append(entry: Entry, time: Date): { record: AuditRecord; line: string } {
    const checked = surelyFits(entry) ? { ...entry } : readEntry(entry);
    const latestMs = Math.max(this.#latestMs, time.getTime());
    const link = {
      v: 1,
      seq: this.#nextSeq,
      prev: this.#head,
      time: new Date(latestMs).toISOString(),
    } as const;
    const linked = Object.assign(checked, link);
    const unhashed = canonicalizeWithout(linked, "hash");
    if (unhashed.text.length > MAX_LINE_LENGTH) {
      throw new EntryRefused(`the entry is longer than ${MAX_LINE_LENGTH} characters`);
    }
    const digest = hash("sha256", unhashed.text, "hex");
    this.#nextSeq += 1;
    this.#head = digest;
    this.#latestMs = latestMs;
    const line = fillGap(unhashed, `"hash":"${digest}"`) + "\n";
    return { record: Object.assign(linked, { hash: digest }), line };
  }
}
