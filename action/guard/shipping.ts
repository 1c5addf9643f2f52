/**
 * Shipping: brings what was recorded to the bucket, segment by segment, each countersigned by the broker first.
 * An outage only delays it; what the broker refuses ends it, and then the recorder takes no more calls.
 */
import type { AuditRecord, Entry } from "../../audit/record.ts";
import { packSegment } from "../../audit/segment.ts";
import type { SegmentRequest } from "../../broker/contract.ts";
import type { SessionClient } from "../wire/broker-client.ts";
import type { Http } from "../wire/http-request.ts";
import { type Patience, PatienceExhausted, retry } from "../wire/retry.ts";
import { uploadSegment } from "../wire/segment-upload.ts";
import type { SpooledRecord } from "./spool.ts";

export interface ShippingOptions {
  readonly client: SessionClient;
  readonly http: Http;
  /** A segment is closed at this size or after this time, whichever is first. */
  readonly segmentBytes: number;
  readonly segmentIntervalMs: number;
  /** Adds checkpoints and events to the log. */
  readonly record: (entry: Entry) => AuditRecord;
  readonly readSpool: (offset: number, length: number) => Buffer;
  /** The broker takes no more of this log. */
  readonly onHalt: (reason: string) => void;
}

/** A record that waits: its bytes wait in the spool, so that thousands of them are little to hold. */
interface Pending {
  readonly kind: AuditRecord["kind"];
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
  readonly offset: number;
  readonly length: number;
}

/** A segment that is stored, and where its bytes lie in the spool. */
interface Stored {
  readonly request: SegmentRequest;
  readonly offset: number;
  readonly length: number;
}

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;

export class Shipping {
  readonly #options: ShippingOptions;
  readonly #stored: Stored[] = [];
  readonly #stopped = new AbortController();
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #inFlightBytes = 0;
  #draining = false;
  #overdue = false;
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  #haltedBy: string | undefined;

  constructor(options: ShippingOptions) {
    this.#options = options;
  }

  /** What would be lost with this machine. */
  get unsentBytes(): number {
    return this.#pendingBytes + this.#inFlightBytes;
  }

  get segments(): number {
    return this.#stored.length;
  }

  /** Why nothing is shipped any more; undefined while there is hope. */
  get haltedBy(): string | undefined {
    return this.#haltedBy;
  }

  add({ record, line, offset }: SpooledRecord): void {
    const { kind, seq, prev, hash } = record;
    this.#pending.push({ kind, seq, prev, hash, offset, length: line.length });
    this.#pendingBytes += line.length;
    // A checkpoint alone is no reason for a segment: it would bring the next one about, for ever.
    if (kind !== "checkpoint" && !this.#overdue) {
      this.#timer ??= setTimeout(() => {
        this.#overdue = true;
        void this.#pump();
      }, this.#options.segmentIntervalMs);
    }
    if (this.#pendingBytes >= this.#options.segmentBytes) void this.#pump();
  }

  /** Ships everything that was recorded, until nothing but checkpoints is left or shipping has halted. */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#isDue()) await this.#pump();
    this.#draining = false;
  }

  /** Stores a segment again that the broker does not find. False: the spool no longer holds its bytes, or it was refused. */
  async storeAgain(segment: number): Promise<boolean> {
    const stored = this.#stored[segment - 1];
    if (stored === undefined || this.#haltedBy !== undefined) return false;
    const packed = await packSegment(this.#options.readSpool(stored.offset, stored.length));
    if (packed.sha256 !== stored.request.sha256) return false;
    return (await this.#store(stored.request, packed.body)) !== undefined;
  }

  /** Gives up, for good: an attempt under way is ended. */
  halt(reason: string): void {
    if (this.#haltedBy !== undefined) return;
    this.#haltedBy = reason;
    clearTimeout(this.#timer);
    this.#stopped.abort();
    this.#options.onHalt(reason);
  }

  #isDue(): boolean {
    if (this.#haltedBy !== undefined || this.#pending.length === 0) return false;
    if (this.#pendingBytes >= this.#options.segmentBytes) return true;
    const waiting = this.#overdue || this.#draining;
    return waiting && this.#pending.some(({ kind }) => kind !== "checkpoint");
  }

  #pump(): Promise<void> {
    const pump = async (): Promise<void> => {
      while (this.#isDue()) await this.#shipNext();
      this.#pumping = undefined;
    };
    this.#pumping ??= pump();
    return this.#pumping;
  }

  async #shipNext(): Promise<void> {
    const records = this.#takeSegment();
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return;
    const length = last.offset + last.length - first.offset;
    this.#inFlightBytes = length;
    const packed = await packSegment(this.#options.readSpool(first.offset, length));
    const request: SegmentRequest = {
      segment: this.#stored.length + 1,
      bytes: packed.body.length,
      sha256: packed.sha256,
      md5: packed.md5,
      first_seq: first.seq,
      last_seq: last.seq,
      prev: first.prev,
      head: last.hash,
    };
    const signature = await this.#store(request, packed.body);
    if (signature === undefined) return;
    this.#inFlightBytes = 0;
    this.#stored.push({ request, offset: first.offset, length });
    // The seal is the last record: the checkpoint over it is the broker's alone.
    if (last.kind !== "seal") {
      const { segment, last_seq, head } = request;
      this.#tell({ kind: "checkpoint", segment, last_seq, head, signature });
    }
  }

  /** The records of the next segment: as many as fit, at least one. */
  #takeSegment(): Pending[] {
    let bytes = 0;
    const fits = this.#pending.findIndex(({ length }) => (bytes += length) > this.#options.segmentBytes);
    const taken = this.#pending.splice(0, fits === -1 ? this.#pending.length : Math.max(1, fits));
    this.#pendingBytes -= taken.reduce((sum, { length }) => sum + length, 0);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // What is left has waited as long as what was taken.
    this.#overdue = this.#pending.length > 0;
    return taken;
  }

  /** The checkpoint's signature, or undefined once shipping has halted. */
  async #store(request: SegmentRequest, body: Uint8Array): Promise<string | undefined> {
    let delayed = false;
    const patience: Patience = {
      untilMs: Number.POSITIVE_INFINITY,
      firstPauseMs: FIRST_PAUSE_MS,
      maxPauseMs: MAX_PAUSE_MS,
      signal: this.#stopped.signal,
      onRetry: (reason) => {
        if (!delayed) this.#note("shipping_delayed", { segment: request.segment, reason });
        delayed = true;
      },
    };
    try {
      const signature = await retry<string | undefined>(async () => {
        const announced = await this.#options.client.announceSegment(request, patience);
        if (!announced.ok) {
          const { error, sentence } = announced;
          const refusal =
            error === "session_over" ? "ended the session" : `refused segment ${request.segment} of the log`;
          this.halt(`the broker ${refusal}: ${sentence}`);
          return { settled: true, value: undefined };
        }
        const { checkpoint, upload } = announced.value;
        return uploadSegment(this.#options.http, { upload, body, checkpoint });
      }, patience);
      if (delayed && signature !== undefined) this.#note("shipping_resumed", { segment: request.segment });
      return signature;
    } catch (cause) {
      if (!(cause instanceof PatienceExhausted)) {
        this.halt(cause instanceof Error ? cause.message : "the log cannot be shipped");
      }
      return undefined;
    }
  }

  #note(event: string, detail: Record<string, string | number>): void {
    const severity = event === "shipping_delayed" ? "warning" : "info";
    this.#tell({ kind: "event", event, severity, detail });
  }

  /** A log that cannot be written is noticed at the next call; shipping what is there goes on. */
  #tell(entry: Entry): void {
    try {
      this.#options.record(entry);
    } catch {
      // The recorder refuses everything from now on and says so to whoever calls.
    }
  }
}
