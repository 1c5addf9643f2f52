/**
 * The relay's ledger of one session: calls are decided, counted and recorded in transactions that many of them share,
 * with what the session has used up on all replicas together. Nothing is let through before its record is durable; how
 * it ended goes with the next transaction and holds nobody up.
 */
import type { Entry, EntryOf } from "../../audit/record.ts";
import type { Usage } from "../../policies/decision.ts";
import { type SessionUsage, UsageSnapshot } from "../../policies/usage.ts";
import { RecordingFailed } from "../../proxy/recorder.ts";
import { findRelayLog, hasRecords } from "../storage/sessions/relay-logs.ts";
import type { Queries, SessionRow } from "../storage/schema.ts";
import { inTransaction, lockSession } from "../storage/transactions.ts";
import { LogTurn } from "./log-turn.ts";

/** Bounds on how long one transaction keeps others waiting. */
const MAX_CALLS = 256;
const MAX_TURN_LENGTH = 4 * 1024 * 1024;
/** More wait for nothing but a database that does not answer. */
const MAX_WAITING_CALLS = 2_000;
const MAX_WAITING_ENTRIES = 20_000;
/** Entries without a call wait so long for one to go with. */
const PATIENCE_MS = 20;
/** After a transaction that failed. */
const PAUSE_MS = 500;

export interface RelayLedgerOptions {
  readonly database: Queries;
  readonly session: string;
  readonly genesis: EntryOf<"relay_genesis">;
  /** Counted by whoever decides; as it is in the database at the begin of each transaction. */
  readonly usage: SessionUsage;
  /** The session has read more than `before`, here or on another replica. */
  readonly labelsGained: (before: Usage["labels"]) => void;
  /** The session as it is while nobody else can change it: before anything is decided. */
  readonly sessionRead: (row: SessionRow) => void;
  /** Told after each transaction how much of the log is not in the bucket. */
  readonly written: (unpackedBytes: number) => void;
  readonly onError: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One call that waits for its decision. */
export interface WaitingCall {
  /** Decides, records and counts, all at once. When it throws, the call has failed. */
  readonly decide: () => void;
  /** Once: what was decided is durable, or never was. */
  readonly settle: (isRecorded: boolean) => void;
}

export class RelayLedger {
  readonly #options: RelayLedgerOptions;
  #calls: WaitingCall[] = [];
  #entries: Entry[] = [];
  #turn: LogTurn | undefined;
  /** What was recorded in the turn beside calls: it is written also where the calls are not. */
  #aside: Entry[] = [];
  /** Of a transaction that failed: records that may be durable all the same, and the entries among them. */
  #doubt: { readonly records: LogTurn["records"]; readonly entries: ReadonlySet<Entry> } | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RelayLedgerOptions) {
    this.#options = options;
  }

  /** As a `Recorder` does it: in a decision it is part of that, otherwise it is written soon. Throws `RecordingFailed`. */
  record(entry: Entry): void {
    if (this.#turn === undefined) {
      if (this.#entries.length >= MAX_WAITING_ENTRIES) {
        throw new RecordingFailed("too much waits for the database");
      }
      this.#entries.push(entry);
      this.#startLater(PATIENCE_MS);
      return;
    }
    if (this.#turn.isSealed) throw new RecordingFailed("the log of what was relayed is sealed");
    this.#turn.append(entry);
    if (entry.kind !== "call") this.#aside.push(entry);
  }

  submit(call: WaitingCall): void {
    if (this.#calls.length >= MAX_WAITING_CALLS) {
      call.settle(false);
      return;
    }
    this.#calls.push(call);
    this.#start();
  }

  /** Learns what the session has read on other replicas. Throws `DatabaseUnavailable`. */
  async refreshLabels(): Promise<void> {
    const { database, session } = this.#options;
    const stored = await findRelayLog(database, session);
    if (stored !== undefined) this.#learnLabels(UsageSnapshot.parse(JSON.parse(stored.usage)));
  }

  /** Resolves when everything was written that could be. */
  async flush(): Promise<void> {
    this.#start();
    await this.#running;
    if (this.#entries.length > 0) {
      this.#start();
      await this.#running;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#calls.length + this.#entries.length === 0) return;
    this.#running ??= this.#runOne().finally(() => {
      this.#running = undefined;
      if (this.#calls.length > 0) this.#start();
      else if (this.#entries.length > 0) this.#startLater(PATIENCE_MS);
    });
  }

  #startLater(waitMs: number): void {
    if (this.#running === undefined) {
      this.#timer ??= setTimeout(() => this.#start(), waitMs).unref();
    }
  }

  async #runOne(): Promise<void> {
    const { database, usage, onError, written } = this.#options;
    const calls = this.#calls.splice(0, MAX_CALLS);
    const entries = this.#entries.splice(0);
    const before = usage.snapshot();
    let decided: boolean[] = [];
    let turn: LogTurn | undefined;
    this.#aside = [];
    try {
      const unpackedBytes = await inTransaction(database, async (db) => {
        // Where it is tried again, what was noted on the side is no part of what is undone.
        entries.push(...this.#aside.splice(0));
        turn = await this.#begin(db);
        const due = await this.#withoutWritten(db, entries);
        decided = this.#decideAll(turn, { calls, entries: due });
        return turn.write(db, usage.snapshot());
      });
      this.#aside = [];
      this.#doubt = undefined;
      this.#calls.unshift(...calls.slice(decided.length));
      decided.forEach((isRecorded, index) => calls[index]?.settle(isRecorded));
      written(unpackedBytes);
    } catch (error) {
      usage.restore(before);
      const kept = [...entries, ...this.#aside.splice(0)];
      // Whose commit got no answer may have been committed.
      if (turn !== undefined) this.#doubt = { records: turn.records, entries: new Set(kept) };
      this.#entries.unshift(...kept);
      calls.forEach(({ settle }) => settle(false));
      onError(error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref());
    }
  }

  async #begin(db: Queries): Promise<LogTurn> {
    const { session, genesis, sessionRead, now } = this.#options;
    const row = await lockSession(db, session);
    if (row === undefined) throw new Error(`there is no session ${session}`);
    sessionRead(row);
    return LogTurn.begin(db, { session, genesis, now: now() });
  }

  async #withoutWritten(db: Queries, entries: readonly Entry[]): Promise<readonly Entry[]> {
    const doubt = this.#doubt;
    if (doubt === undefined || !(await hasRecords(db, doubt.records))) return entries;
    return entries.filter((entry) => !doubt.entries.has(entry));
  }

  /**
   * In one go: nothing else happens between the first decision and the last. Whether each came to a decision; those
   * beyond the last wait for the next turn.
   */
  #decideAll(
    turn: LogTurn,
    { calls, entries }: { calls: readonly WaitingCall[]; entries: readonly Entry[] },
  ): boolean[] {
    const { usage, onError } = this.#options;
    this.#turn = turn;
    try {
      const labels = new Set(usage.labels);
      usage.restore(turn.usage);
      for (const entry of turn.isSealed ? [] : entries) {
        try {
          turn.append(entry);
        } catch (error) {
          // It would be refused again: an entry that cannot be written must not keep the others from it.
          onError(error);
        }
      }
      if (turn.usage.labels.some((label) => !labels.has(label))) this.#options.labelsGained(labels);
      const decided: boolean[] = [];
      for (const { decide } of calls) {
        if (turn.length > MAX_TURN_LENGTH) break;
        try {
          decide();
          decided.push(true);
        } catch (error) {
          if (!(error instanceof RecordingFailed)) onError(error);
          decided.push(false);
        }
      }
      return decided;
    } finally {
      this.#turn = undefined;
    }
  }

  #learnLabels({ labels }: UsageSnapshot): void {
    const { usage, labelsGained } = this.#options;
    const before = new Set(usage.labels);
    usage.addLabels(labels);
    if (labels.some((label) => !before.has(label))) labelsGained(before);
  }
}
