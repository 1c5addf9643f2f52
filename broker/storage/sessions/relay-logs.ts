/** The relay's log of a session in the database. Whoever changes it holds the session locked, see `lockSession`. */
import type { RelayLogRow, RelayRecordsRow, RelaySegmentRow } from "./relay-tables.ts";
import type { Queries } from "../schema.ts";

export async function findRelayLog(db: Queries, session: string): Promise<RelayLogRow | undefined> {
  return db.selectFrom("relay_logs").selectAll().where("session", "=", session).executeTakeFirst();
}

/** Of what was written since the start; the rest of the row stays as it is. */
export type RelayLogState = Pick<
  RelayLogRow,
  "next_seq" | "head" | "time" | "usage" | "totals" | "unpacked_bytes"
>;

/** The records, and where the log stands after them. */
export async function appendRecords(
  db: Queries,
  records: RelayRecordsRow,
  state: RelayLogState,
): Promise<void> {
  const { session } = records;
  await db.insertInto("relay_records").values(records).execute();
  await db
    .insertInto("relay_logs")
    .values({ session, ...state, sealed_at: null, packed_at: null })
    .onConflict((conflict) => conflict.column("session").doUpdateSet(state))
    .execute();
}

/** Whether these very records are there. */
export async function hasRecords(
  db: Queries,
  { session, first_seq, head }: Pick<RelayRecordsRow, "session" | "first_seq" | "head">,
): Promise<boolean> {
  const found = await db
    .selectFrom("relay_records")
    .select("session")
    .where("session", "=", session)
    .where("first_seq", "=", first_seq)
    .where("head", "=", head)
    .executeTakeFirst();
  return found !== undefined;
}

export async function sealRelayLog(db: Queries, session: string, at: number): Promise<void> {
  await db.updateTable("relay_logs").set({ sealed_at: at }).where("session", "=", session).execute();
}

export async function markPacked(db: Queries, session: string, at: number): Promise<void> {
  await db.updateTable("relay_logs").set({ packed_at: at }).where("session", "=", session).execute();
}

export async function listRecords(
  db: Queries,
  session: string,
  upToSeq = Number.MAX_SAFE_INTEGER,
): Promise<RelayRecordsRow[]> {
  return db
    .selectFrom("relay_records")
    .selectAll()
    .where("session", "=", session)
    .where("last_seq", "<=", Math.min(upToSeq, 2 ** 31 - 1))
    .orderBy("first_seq")
    .execute();
}

export async function listRelaySegments(db: Queries, session: string): Promise<RelaySegmentRow[]> {
  return db
    .selectFrom("relay_segments")
    .selectAll()
    .where("session", "=", session)
    .orderBy("segment")
    .execute();
}

export async function addRelaySegment(db: Queries, segment: RelaySegmentRow): Promise<void> {
  await db.insertInto("relay_segments").values(segment).execute();
}

export interface StoredSegment {
  readonly bytes: number;
  readonly sha256: string;
  readonly at: number;
}

/** Its records go with it. False: somebody else has noted it before. */
export async function noteStored(
  db: Queries,
  { session, segment, last_seq }: RelaySegmentRow,
  { bytes, sha256, at }: StoredSegment,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("relay_segments")
    .set({ bytes, sha256, stored_at: at })
    .where("session", "=", session)
    .where("segment", "=", segment)
    .where("stored_at", "is", null)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return false;
  const { bytes: packed } = await db
    .selectFrom("relay_records")
    .select((row) => row.fn.coalesce(row.fn.sum<number | string>("bytes"), row.lit(0)).as("bytes"))
    .where("session", "=", session)
    .where("last_seq", "<=", last_seq)
    .executeTakeFirstOrThrow();
  await db
    .deleteFrom("relay_records")
    .where("session", "=", session)
    .where("last_seq", "<=", last_seq)
    .execute();
  await db
    .updateTable("relay_logs")
    .set((row) => ({ unpacked_bytes: row("unpacked_bytes", "-", Number(packed)) }))
    .where("session", "=", session)
    .execute();
  return true;
}

export interface UnpackedQuery {
  /** Sessions that ran out after it are left alone: the same key may still bring them back. */
  readonly expiredBefore: number;
  /** Of a session that is alive. */
  readonly largeBytes: number;
  readonly limit: number;
}

/** Sessions whose log is to be packed: they have ended, or it has become large. */
export async function listUnpacked(
  db: Queries,
  { expiredBefore, largeBytes, limit }: UnpackedQuery,
): Promise<{ readonly id: string; readonly isOver: boolean }[]> {
  const rows = await db
    .selectFrom("relay_logs")
    .innerJoin("sessions", "sessions.id", "relay_logs.session")
    .select(["sessions.id", "sessions.state", "sessions.expires_at"])
    .where("relay_logs.packed_at", "is", null)
    .where((row) =>
      row.or([
        row("sessions.state", "in", ["sealed", "recovered", "revoked"]),
        row("sessions.expires_at", "<=", expiredBefore),
        row("relay_logs.unpacked_bytes", ">=", largeBytes),
      ]),
    )
    .limit(limit)
    .execute();
  return rows.map(({ id, state, expires_at }) => ({
    id,
    isOver: ["sealed", "recovered", "revoked"].includes(state) || expires_at <= expiredBefore,
  }));
}
