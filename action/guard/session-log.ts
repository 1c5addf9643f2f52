/**
 * The log of one session on its way: every record goes into the spool first, then into the tally and to the bucket.
 * When too much waits to be stored, calls are no longer recorded, and so no longer forwarded.
 */
import { join } from "node:path";
import { Chain } from "../../audit/chain.ts";
import type { AuditRecord, Entry } from "../../audit/record.ts";
import { MAX_UNSENT_BYTES, type SessionDocument } from "../../broker/contract.ts";
import type { SessionClient } from "../wire/broker-client.ts";
import { SPOOL_FILE } from "../handover.ts";
import type { Http } from "../wire/http-request.ts";
import { Shipping } from "./shipping.ts";
import { type Spool, openSpool } from "./spool.ts";
import { type Tally, createTally } from "./tally.ts";

/** For a call, the longest record there is, and the results of those in flight. */
const HEADROOM_BYTES = 8 * 1024 * 1024;

export interface SessionLog {
  /** Throws `RecordingFailed`. */
  readonly record: (entry: Entry) => AuditRecord;
  /** For what must not fail because of the log: whoever needs the record finds out at the next call. */
  readonly note: (entry: Entry) => void;
  readonly shipping: Shipping;
  readonly tally: Tally;
}

export interface SessionLogOptions {
  readonly directory: string;
  readonly plan: SessionDocument["audit"];
  readonly client: SessionClient;
  readonly http: Http;
  /** The broker takes no more of this log. */
  readonly onHalt: (reason: string) => void;
}

export function openSessionLog(options: SessionLogOptions): SessionLog {
  const tally = createTally();
  let isSealed = false;
  const spool: Spool = openSpool({
    path: join(options.directory, SPOOL_FILE),
    chain: new Chain(),
    now: () => new Date(),
    refuse: (kind) => (isSealed ? "the log is sealed" : refuseByBacklog(kind, shipping.unsentBytes)),
    onRecord: (spooled) => {
      isSealed = spooled.record.kind === "seal";
      tally.add(spooled.record);
      shipping.add(spooled);
    },
  });
  const shipping: Shipping = new Shipping({
    client: options.client,
    http: options.http,
    segmentBytes: options.plan.segment_bytes,
    segmentIntervalMs: options.plan.segment_interval_ms,
    record: spool.record,
    readSpool: spool.read,
    onHalt: options.onHalt,
  });
  const note = (entry: Entry): void => {
    try {
      spool.record(entry);
    } catch {
      // Nothing is forwarded any more; what was recorded is still shipped.
    }
  };
  return { record: spool.record, note, shipping, tally };
}

/** What ends a log may use the headroom; what makes it longer may not. */
function refuseByBacklog(kind: Entry["kind"], unsentBytes: number): string | undefined {
  const ending = kind === "result" || kind === "checkpoint" || kind === "seal";
  const limit = ending ? MAX_UNSENT_BYTES : MAX_UNSENT_BYTES - HEADROOM_BYTES;
  return unsentBytes < limit ? undefined : "too much of the log waits to be stored";
}
