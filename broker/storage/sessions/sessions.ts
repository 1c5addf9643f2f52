/**
 * Session rows. A state is left by one conditional update, so of two callers that end a session one did it.
 */
import { isOver } from "../ledger/later-attempt.ts";
import type { Queries, RevocationCause, SessionRow, SessionState } from "../schema.ts";
import { type Runner, defineInsert, defineRead, defineWrite } from "../ledger/statements.ts";

export async function findSession(db: Queries, id: string): Promise<SessionRow | undefined> {
  return db.selectFrom("sessions").selectAll().where("id", "=", id).executeTakeFirst();
}

const OPEN_SESSION = defineInsert({
  table: "sessions",
  columns: [
    "id",
    "workload",
    "run",
    "robot",
    "roles",
    "binding",
    "claims",
    "policy",
    "narrowed_policy",
    "revoke_on_change",
    "checked_against",
    "servers",
    "salt_key",
    "object_prefix",
    "state",
    "ttl_seconds",
    "created_at",
    "expires_at",
    "max_expires_at",
    "ended_at",
    "recovered_at",
    "final_segment",
  ],
  // The run is that of the workload.
  key: ["run", "workload", "robot"],
});
const FIND_HOLDING = defineRead({ table: "sessions", columns: ["run", "workload", "robot"] }, ({ db }) =>
  db
    .selectFrom("given")
    .innerJoin("sessions", (join) =>
      join
        .onRef("sessions.run", "=", "given.run")
        .onRef("sessions.workload", "=", "given.workload")
        .onRef("sessions.robot", "=", "given.robot"),
    )
    .selectAll("sessions"),
);
const PROLONG_SESSION = defineWrite(
  { table: "sessions", columns: ["id", "expires_at"], key: ["id"] },
  ({ db, sideBySide }) =>
    db
      .updateTable("sessions")
      .from("given")
      .set((row) => ({ state: "active", expires_at: row.ref("given.expires_at"), ended_at: null }))
      .whereRef("sessions.id", "=", "given.id")
      .where("sessions.state", "in", ["active", "expired"])
      .where("sessions.workload", "in", (row) =>
        row
          .selectFrom("workloads")
          .select("workloads.id")
          .whereRef("workloads.id", "=", "sessions.workload")
          .where(isOver("workloads"), "=", 0),
      )
      .$if(sideBySide, (query) => query.returning("sessions.id")),
);

/**
 * In a transaction. Returns, by workload and robot, the rows that were there before or are now; whether it is the given
 * one is told by its id. Of several for one workload and robot, the first is opened.
 */
export async function openSessions(
  runner: Runner,
  rows: readonly SessionRow[],
): Promise<(row: SessionRow) => SessionRow | undefined> {
  const opened = await runner.write(OPEN_SESSION, rows);
  const holding = new Map(rows.filter((_, index) => opened[index]).map((row) => [keyOf(row), row]));
  const missing = new Map(rows.filter((row) => !holding.has(keyOf(row))).map((row) => [keyOf(row), row]));
  const asked = [...missing.values()].map(({ run, workload, robot }) => ({ run, workload, robot }));
  for (const row of await runner.read(FIND_HOLDING, asked)) holding.set(keyOf(row), row);
  return (row) => holding.get(keyOf(row));
}

const keyOf = ({ workload, robot }: SessionRow): string => `${workload} ${robot}`;

export interface Prolongation {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * A new expiry for sessions that have not ended and whose job is not over; returns the ids of those. Of several for one
 * session, the last.
 */
export async function prolongSessions(
  runner: Runner,
  prolongations: readonly Prolongation[],
): Promise<Set<string>> {
  const expiries = new Map(prolongations.map(({ id, expiresAt }) => [id, expiresAt]));
  const rows = [...expiries].map(([id, expires_at]) => ({ id, expires_at }));
  const prolonged = await runner.write(PROLONG_SESSION, rows);
  return new Set(rows.filter((_, index) => prolonged[index]).map(({ id }) => id));
}

export interface SessionEnd {
  readonly to: Exclude<SessionState, "active" | "expired">;
  readonly from: readonly SessionState[];
  readonly at: number;
  /** The operator who did it, where one did. */
  readonly by?: string | undefined;
  /** Of a revocation that nobody asked for. */
  readonly cause?: RevocationCause;
}

/** False when the session was in none of the states that may be left this way. */
export async function endSession(
  db: Queries,
  id: string,
  { to, from, at, by, cause }: SessionEnd,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("sessions")
    .set({
      state: to,
      ended_at: at,
      ...(by === undefined ? {} : { revoked_by: by }),
      ...(cause === undefined ? {} : { revocation_cause: cause }),
    })
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

const IDS_AT_A_TIME = 500;

/** Those of the given ones that still grant something. */
export async function listAlive(db: Queries, ids: readonly string[], now: number): Promise<Set<string>> {
  const alive = new Set<string>();
  for (let start = 0; start < ids.length; start += IDS_AT_A_TIME) {
    const rows = await db
      .selectFrom("sessions")
      .select("id")
      .where("id", "in", ids.slice(start, start + IDS_AT_A_TIME))
      .where("state", "=", "active")
      .where("expires_at", ">", now)
      .execute();
    rows.forEach(({ id }) => alive.add(id));
  }
  return alive;
}

/** All that are in this state now, of all brokers; the index over it makes few of them cheap. */
export async function countRevoked(db: Queries): Promise<number> {
  const { count } = await db
    .selectFrom("sessions")
    .select((row) => row.fn.countAll<number | bigint | string>().as("count"))
    .where("state", "=", "revoked")
    .executeTakeFirstOrThrow();
  return Number(count);
}
