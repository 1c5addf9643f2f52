/**
 * Segments that were announced, in order. What is written here was countersigned and does not change.
 */
import type { Queries, SegmentRow } from "../schema.ts";

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
