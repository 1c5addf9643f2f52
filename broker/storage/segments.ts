/**
 * Segments that were announced, in order. What is written here was countersigned and does not change.
 */
import type { Queries, SegmentRow } from "./schema.ts";

/** Returns the row that holds: the given one, or what was announced under this number before. */
export async function announceSegment(db: Queries, row: SegmentRow): Promise<SegmentRow> {
  await db
    .insertInto("segments")
    .values(row)
    .onConflict((conflict) => conflict.columns(["session", "segment"]).doNothing())
    .execute();
  return db
    .selectFrom("segments")
    .selectAll()
    .where("session", "=", row.session)
    .where("segment", "=", row.segment)
    .executeTakeFirstOrThrow();
}

export async function findSegment(
  db: Queries,
  session: string,
  segment: number,
): Promise<SegmentRow | undefined> {
  return db
    .selectFrom("segments")
    .selectAll()
    .where("session", "=", session)
    .where("segment", "=", segment)
    .executeTakeFirst();
}

export async function findLastSegment(db: Queries, session: string): Promise<SegmentRow | undefined> {
  return db
    .selectFrom("segments")
    .selectAll()
    .where("session", "=", session)
    .orderBy("segment", "desc")
    .limit(1)
    .executeTakeFirst();
}

export async function listSegments(db: Queries, session: string): Promise<SegmentRow[]> {
  return db.selectFrom("segments").selectAll().where("session", "=", session).orderBy("segment").execute();
}
