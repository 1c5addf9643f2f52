/** Sessions as an operator looks for them: newest first, a bounded number, whoever they belong to. */
import { sql } from "kysely";
import type { Queries, SessionRow, SessionState } from "../schema.ts";

export interface SessionFilter {
  /** As it is at `now`: a session that ran out counts as expired, whether or not anybody has marked it. */
  readonly state?: SessionState | undefined;
  /** `owner/repo/name`, or `owner/repo` for all robots of a repository. */
  readonly robot?: string | undefined;
  /** GitHub's id of a run, all of its attempts. */
  readonly runId?: string | undefined;
  readonly limit: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type ListedSession = SessionRow & { readonly run_id: string; readonly run_attempt: string };

export async function listSessions(db: Queries, filter: SessionFilter): Promise<ListedSession[]> {
  const { state, robot, runId, limit, now } = filter;
  let query = db
    .selectFrom("sessions")
    .innerJoin("workloads", (join) =>
      join.onRef("workloads.id", "=", "sessions.workload").onRef("workloads.run", "=", "sessions.run"),
    )
    .selectAll("sessions")
    .select(["workloads.run_id", "workloads.run_attempt"]);
  if (state === "active") {
    query = query.where("sessions.state", "=", "active").where("sessions.expires_at", ">", now);
  } else if (state === "expired") {
    query = query.where((row) =>
      row.or([
        row("sessions.state", "=", "expired"),
        row.and([row("sessions.state", "=", "active"), row("sessions.expires_at", "<=", now)]),
      ]),
    );
  } else if (state !== undefined) {
    query = query.where("sessions.state", "=", state);
  }
  if (robot !== undefined) {
    const prefix = `${robot}/`;
    // Not LIKE: `_` is a letter of names.
    query =
      robot.split("/").length === 2
        ? query.where(sql`substr(sessions.robot, 1, ${prefix.length})`, "=", prefix)
        : query.where("sessions.robot", "=", robot);
  }
  if (runId !== undefined) query = query.where("workloads.run_id", "=", runId);
  return query.orderBy("sessions.created_at", "desc").orderBy("sessions.id").limit(limit).execute();
}

/** How many running sessions have a salt that comes from which sealing key. */
export async function countSessionsBySaltKey(db: Queries, now: number): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom("sessions")
    .select(({ fn }) => ["salt_key", fn.countAll<number | bigint | string>().as("sessions")])
    .where("state", "in", ["active", "expired"])
    .where("max_expires_at", ">", now)
    .groupBy("salt_key")
    .execute();
  return new Map(rows.map(({ salt_key, sessions }) => [salt_key, Number(sessions)]));
}
