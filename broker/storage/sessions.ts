/**
 * Session rows. A state is left by one conditional update, so of two callers that end a session one did it.
 */
import { sql } from "kysely";
import type { Queries, SessionRow, SessionState } from "./schema.ts";
import { inWritingOrder } from "./writing-order.ts";

export async function findSession(db: Queries, id: string): Promise<SessionRow | undefined> {
  return db.selectFrom("sessions").selectAll().where("id", "=", id).executeTakeFirst();
}

/**
 * In a transaction. Returns the rows that hold, by workload and robot: the given ones, or those which these workloads
 * had for these robots before; of several, the first.
 */
export async function openSessions(
  db: Queries,
  rows: readonly SessionRow[],
): Promise<(row: SessionRow) => SessionRow | undefined> {
  const candidates = inWritingOrder(rows, keyOf);
  if (candidates.length === 0) return () => undefined;
  const opened = await db
    .insertInto("sessions")
    .values(candidates)
    .onConflict((conflict) => conflict.columns(["workload", "robot"]).doNothing())
    .returning("id")
    .execute();
  const ids = new Set(opened.map(({ id }) => id));
  const holding = new Map(candidates.filter(({ id }) => ids.has(id)).map((row) => [keyOf(row), row]));
  const missing = candidates.filter(({ id }) => !ids.has(id)).map(({ workload }) => workload);
  if (missing.length > 0) {
    const present = await db.selectFrom("sessions").selectAll().where("workload", "in", missing).execute();
    for (const row of present) holding.set(keyOf(row), row);
  }
  return (row) => holding.get(keyOf(row));
}

const keyOf = ({ workload, robot }: SessionRow): string => `${workload} ${robot}`;

export interface Prolongation {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A new expiry for sessions that have not ended; returns the ids of those. */
export async function prolongSessions(
  db: Queries,
  prolongations: readonly Prolongation[],
): Promise<Set<string>> {
  if (prolongations.length === 0) return new Set();
  const expiries = prolongations.map(
    ({ id, expiresAt }) => sql`when ${id} then cast(${expiresAt} as bigint)`,
  );
  const prolonged = await db
    .updateTable("sessions")
    .set({
      state: "active",
      expires_at: sql<number>`case id ${sql.join(expiries, sql` `)} end`,
      ended_at: null,
    })
    .where(
      "id",
      "in",
      prolongations.map(({ id }) => id),
    )
    .where("state", "in", ["active", "expired"])
    .returning("id")
    .execute();
  return new Set(prolonged.map(({ id }) => id));
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
