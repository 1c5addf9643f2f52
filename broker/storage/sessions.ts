/**
 * Session rows. A state is left by one conditional update, so of two callers that end a session one did it.
 */
import type { Queries, SessionRow, SessionState } from "./schema.ts";

export async function findSession(db: Queries, id: string): Promise<SessionRow | undefined> {
  return db.selectFrom("sessions").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Returns the row that holds: the given one, or the one this workload had for this robot before. */
export async function openSession(db: Queries, row: SessionRow): Promise<SessionRow> {
  await db
    .insertInto("sessions")
    .values(row)
    .onConflict((conflict) => conflict.columns(["workload", "robot"]).doNothing())
    .execute();
  return db
    .selectFrom("sessions")
    .selectAll()
    .where("workload", "=", row.workload)
    .where("robot", "=", row.robot)
    .executeTakeFirstOrThrow();
}

/** A new expiry for a session that has not ended; false when it has. */
export async function prolongSession(db: Queries, id: string, expiresAt: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("sessions")
    .set({ state: "active", expires_at: expiresAt, ended_at: null })
    .where("id", "=", id)
    .where("state", "in", ["active", "expired"])
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export interface SessionEnd {
  readonly to: Exclude<SessionState, "active" | "expired">;
  readonly from: readonly SessionState[];
  readonly at: number;
}

/** False when the session was in none of the states that may be left this way. */
export async function endSession(db: Queries, id: string, { to, from, at }: SessionEnd): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("sessions")
    .set({ state: to, ended_at: at })
    .where("id", "=", id)
    .where("state", "in", from)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export async function markRecovered(db: Queries, id: string, at: number): Promise<void> {
  await db.updateTable("sessions").set({ recovered_at: at }).where("id", "=", id).execute();
}

/** From now on no segment after this one is accepted. */
export async function fixFinalSegment(db: Queries, id: string, segment: number): Promise<void> {
  await db.updateTable("sessions").set({ final_segment: segment }).where("id", "=", id).execute();
}

/** Marks sessions that ran out of time; returns how many. */
export async function expireSessions(db: Queries, now: number): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable("sessions")
    .set((row) => ({ state: "expired", ended_at: row.ref("expires_at") }))
    .where("state", "=", "active")
    .where("expires_at", "<=", now)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}
