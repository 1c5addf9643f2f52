/**
 * A turn at the relay's log of one session, in a transaction that holds the session locked: it starts where the last one
 * ended, whichever replica had that, takes entries, and writes what it took in one piece.
 */
import { Chain } from "../../audit/chain.ts";
import { type Entry, type EntryOf, GENESIS_PREV, Totals } from "../../audit/record.ts";
import { Tally } from "../../audit/verification/tally.ts";
import { UsageSnapshot } from "../../policies/usage.ts";
import { appendRecords, findRelayLog } from "../storage/sessions/relay-logs.ts";
import type { RelayLogRow } from "../storage/sessions/relay-tables.ts";
import type { Queries } from "../storage/schema.ts";

const UNUSED: UsageSnapshot = { calls: 0, rules: {}, labels: [] };

export interface TurnStart {
  readonly session: string;
  /** The first record, where there is none yet. */
  readonly genesis: EntryOf<"relay_genesis">;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export class LogTurn {
  /** What the session had used up when it began. */
  readonly usage: UsageSnapshot;
  /** Nothing more can be added. */
  readonly isSealed: boolean;
  readonly #start: TurnStart;
  readonly #unpackedBefore: number;
  readonly #chain: Chain;
  readonly #tally: Tally;
  readonly #firstSeq: number;
  readonly #prev: string;
  #lines = "";
  #time: string;

  private constructor(start: TurnStart, stored: RelayLogRow | undefined) {
    this.#start = start;
    this.usage = stored === undefined ? UNUSED : UsageSnapshot.parse(JSON.parse(stored.usage));
    this.isSealed = stored !== undefined && stored.sealed_at !== null;
    this.#unpackedBefore = Number(stored?.unpacked_bytes ?? 0);
    this.#tally = new Tally(stored && Totals.parse(JSON.parse(stored.totals)));
    this.#chain = new Chain(stored && { nextSeq: stored.next_seq, head: stored.head, time: stored.time });
    this.#firstSeq = this.#chain.nextSeq;
    this.#prev = stored?.head ?? GENESIS_PREV;
    this.#time = stored?.time ?? new Date(start.now).toISOString();
  }

  static async begin(db: Queries, start: TurnStart): Promise<LogTurn> {
    return new LogTurn(start, await findRelayLog(db, start.session));
  }

  /** Where there is no log yet, it begins with this. Throws `EntryRefused` or `CanonicalError`; nothing is added then. */
  append(entry: Entry): void {
    if (this.#chain.nextSeq === 0 && entry.kind !== "relay_genesis") this.append(this.#start.genesis);
    const { record, line } = this.#chain.append(entry, new Date(this.#start.now));
    this.#tally.add(entry);
    this.#lines += line;
    this.#time = record.time;
  }

  /** Characters that it took. */
  get length(): number {
    return this.#lines.length;
  }

  /** What it took, in a form that can be looked for. */
  get records(): { readonly session: string; readonly first_seq: number; readonly head: string } {
    return { session: this.#start.session, first_seq: this.#firstSeq, head: this.#chain.head };
  }

  /** How the log would be sealed now. */
  sealEntry(reason: string): EntryOf<"seal"> {
    return { kind: "seal", reason, totals: this.#tally.totals() };
  }

  /** Returns how much of the log is not in the bucket then. */
  async write(db: Queries, usage: UsageSnapshot): Promise<number> {
    const bytes = Buffer.byteLength(this.#lines);
    const unpacked_bytes = this.#unpackedBefore + bytes;
    if (bytes > 0) {
      const { session } = this.#start;
      const [next_seq, head] = [this.#chain.nextSeq, this.#chain.head];
      await appendRecords(
        db,
        {
          ...{ session, first_seq: this.#firstSeq, last_seq: next_seq - 1 },
          ...{ prev: this.#prev, head, bytes, lines: this.#lines },
        },
        {
          ...{ next_seq, head, time: this.#time, unpacked_bytes },
          usage: JSON.stringify(usage),
          totals: JSON.stringify(this.#tally.totals()),
        },
      );
    }
    return unpacked_bytes;
  }
}
