/**
 * The relay's log of a session on its way from the database to the bucket: in segments that are decided first, stored
 * once, proved to be there, countersigned, and only then forgotten here. Whoever does it, and however often it is begun
 * again, the same records lie in the same objects in the end.
 */
import type { SegmentEntry } from "../../audit/manifest.ts";
import { segmentObject } from "../../audit/object-path.ts";
import { hash } from "node:crypto";
import { packSegment, unpackSegment } from "../../audit/segment.ts";
import { signCheckpoint } from "../../audit/signature.ts";
import { LogTurn, type TurnStart } from "../relay/log-turn.ts";
import type { Services } from "../services.ts";
import {
  addRelaySegment,
  findRelayLog,
  listRecords,
  listRelaySegments,
  markPacked,
  noteStored,
  sealRelayLog,
} from "../storage/sessions/relay-logs.ts";
import type { RelaySegmentRow } from "../storage/sessions/relay-tables.ts";
import type { Queries, SessionRow } from "../storage/schema.ts";
import { inTransaction, lockSession } from "../storage/transactions.ts";
import { BucketUnusable } from "./bucket.ts";
import { writeManifest } from "./manifests.ts";
import { isStored } from "./stored-segments.ts";

type Custody = Pick<Services, "database" | "bucket" | "signingKeys" | "now">;

/** So much of a log goes into the bucket while its session is alive. */
export const LARGE_LOG_BYTES = 1024 * 1024;
/** Of a segment, before compression; one transaction's records can make it larger. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
const MAX_CONTENT_BYTES = 32 * 1024 * 1024;

/**
 * Ends the log and stores all of it. Returns its segments; undefined: nothing was relayed. Throws `BucketUnusable`; what
 * was done until then stays done.
 */
export async function sealRelay(
  session: SessionRow,
  { reason, genesis }: { readonly reason: string; readonly genesis: TurnStart["genesis"] },
  services: Custody,
): Promise<SegmentEntry[] | undefined> {
  const { database, now } = services;
  const start = { session: session.id, genesis, now: now() };
  const state = await inTransaction(database, async (db) => {
    await lockSession(db, session.id);
    const stored = await findRelayLog(db, session.id);
    if (stored === undefined || stored.sealed_at !== null) return stored;
    const turn = await LogTurn.begin(db, start);
    turn.append(turn.sealEntry(reason));
    await turn.write(db, turn.usage);
    await sealRelayLog(db, session.id, start.now);
    return stored;
  });
  if (state === undefined) return undefined;
  await packRelay(session, genesis, services);
  const relay = (await listRelaySegments(database, session.id)).map(describeRelaySegment);
  if (state.packed_at === null) {
    await writeManifest(session, { status: "relay", runner: [], recovered: [], relay }, services);
    await markPacked(database, session.id, now());
  }
  return relay;
}

/** Stores what is there now; of a log that goes on, only what is large. */
export async function packRelay(
  session: SessionRow,
  genesis: TurnStart["genesis"],
  services: Custody,
): Promise<void> {
  const { database } = services;
  for (;;) {
    const segment = await inTransaction(database, async (db) => {
      await lockSession(db, session.id);
      return nextSegment(db, session.id);
    });
    if (segment === undefined) return;
    await store({ session, segment, genesis }, services);
  }
}

/** One that was decided and is not stored yet, or another one; undefined: there is nothing to store. */
async function nextSegment(db: Queries, session: string): Promise<RelaySegmentRow | undefined> {
  const segments = await listRelaySegments(db, session);
  const open = segments.find(({ stored_at }) => stored_at === null);
  if (open !== undefined) return open;
  const log = await findRelayLog(db, session);
  if (log === undefined || (log.sealed_at === null && Number(log.unpacked_bytes) < LARGE_LOG_BYTES))
    return undefined;
  const records = await listRecords(db, session);
  let bytes = 0;
  const taken = records.filter((row) => {
    const isTaken = bytes < SEGMENT_BYTES;
    bytes += row.bytes;
    return isTaken;
  });
  const [first, last] = [taken[0], taken.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const { first_seq, prev } = first;
  const { last_seq, head } = last;
  const segment: RelaySegmentRow = {
    ...{ session, segment: (segments.at(-1)?.segment ?? 0) + 1, first_seq, last_seq, prev, head },
    ...{ bytes: null, sha256: null, stored_at: null },
  };
  await addRelaySegment(db, segment);
  return segment;
}

interface Storing {
  readonly session: SessionRow;
  readonly segment: RelaySegmentRow;
  readonly genesis: TurnStart["genesis"];
}

async function store({ session, segment, genesis }: Storing, services: Custody): Promise<void> {
  const { database, bucket, signingKeys, now } = services;
  const records = await listRecords(database, session.id, segment.last_seq);
  // Another replica was faster.
  if (records[0]?.first_seq !== segment.first_seq) return;
  const content = Buffer.from(records.map(({ lines }) => lines).join(""));
  const key = session.object_prefix + segmentObject("relay", segment.segment);
  const object = await putSame(bucket, key, content);
  if (!(await isStored(bucket, key, object))) {
    throw new BucketUnusable(`${key} was stored and is not there`);
  }
  const at = now();
  const { segment: number, last_seq, head } = segment;
  const signature = await signCheckpoint(
    {
      session: session.id,
      segment: number,
      sha256: object.sha256,
      seq: last_seq,
      head,
      iat: Math.floor(at / 1000),
    },
    signingKeys.checkpoint,
  );
  await inTransaction(database, async (db) => {
    await lockSession(db, session.id);
    if (!(await noteStored(db, segment, { ...object, at }))) return;
    const turn = await LogTurn.begin(db, { session: session.id, genesis, now: at });
    // A seal is the last record: the manifest vouches for what no checkpoint does.
    if (turn.isSealed) return;
    turn.append({ kind: "checkpoint", segment: number, last_seq, head, signature });
    await turn.write(db, turn.usage);
  });
}

/** An object that is there already is ours if it holds the same records, however another version packed them. */
async function putSame(
  bucket: Custody["bucket"],
  key: string,
  content: Buffer,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const { body, sha256 } = await packSegment(content);
  if ((await bucket.putOnce(key, body)) === "stored") return { bytes: body.length, sha256 };
  const present = await bucket.read(key, content.length + body.length + 1024);
  const held = present && (await unpackSegment(present, MAX_CONTENT_BYTES).catch(() => undefined));
  if (present === undefined || held?.equals(content) !== true) {
    throw new BucketUnusable(`${key} is there already and is not what the broker would write`);
  }
  return { bytes: present.length, sha256: hash("sha256", present, "hex") };
}

function describeRelaySegment({ segment, ...row }: RelaySegmentRow): SegmentEntry {
  const { bytes, sha256, first_seq, last_seq, prev, head } = row;
  if (bytes === null || sha256 === null) throw new Error(`segment ${segment} is not stored`);
  return { object: segmentObject("relay", segment), bytes, sha256, first_seq, last_seq, prev, head };
}
