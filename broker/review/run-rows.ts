/**
 * What the database knows about runs: their sessions, findings, policies, and which runs were last.
 * What a row says was verified at the exchange; what an agent did is in the log alone.
 */
import { type ExpressionBuilder, sql } from "kysely";
import type { MintedCredentialRow } from "../storage/credentials/credential-tables.ts";
import { listOfSession } from "../storage/credentials/minted-credentials.ts";
import type {
  Database,
  FindingRow,
  PolicyChangeRow,
  Queries,
  SessionRow,
  WorkloadRow,
} from "../storage/schema.ts";

export interface SessionRows {
  readonly session: SessionRow;
  readonly workload: WorkloadRow;
  /** Canonical `SessionPolicy`: what it was issued under. */
  readonly policy: string;
  /** The oldest first, each with what was left. */
  readonly changes: readonly (PolicyChangeRow & { readonly source: string })[];
  /** What was minted for it, the first to be made first. */
  readonly minted: readonly MintedCredentialRow[];
}

/** A place in the list of runs: the newest session of the last run that was seen. */
export interface RunCursor {
  readonly createdAt: number;
  readonly session: string;
}

export interface LatestRun extends RunCursor {
  readonly run: string;
}

/** The sessions of a run, the oldest first. */
export async function listRunSessions(db: Queries, run: string, limit: number): Promise<SessionRow[]> {
  return db
    .selectFrom("sessions")
    .selectAll()
    .where("run", "=", run)
    .orderBy("created_at")
    .orderBy("id")
    .limit(limit)
    .execute();
}

export async function countRunSessions(db: Queries, run: string): Promise<number> {
  const { count } = await db
    .selectFrom("sessions")
    .select((row) => row.fn.countAll<number | bigint | string>().as("count"))
    .where("run", "=", run)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** All that belongs to one session. */
export async function readSessionRows(db: Queries, session: SessionRow): Promise<SessionRows> {
  const [workload, policy, changes, minted] = await Promise.all([
    db.selectFrom("workloads").selectAll().where("id", "=", session.workload).executeTakeFirstOrThrow(),
    db.selectFrom("policies").select("source").where("digest", "=", session.policy).executeTakeFirstOrThrow(),
    db
      .selectFrom("policy_changes")
      .innerJoin("policies", "policies.digest", "policy_changes.policy")
      .selectAll("policy_changes")
      .select("policies.source")
      .where("policy_changes.session", "=", session.id)
      .orderBy("policy_changes.time")
      .execute(),
    listOfSession(db, session.id),
  ]);
  return { session, workload, policy: policy.source, changes, minted };
}

/** The findings of a run, also those of jobs and exchanges that never became a session. */
export async function listRunFindings(db: Queries, run: string): Promise<FindingRow[]> {
  return db.selectFrom("findings").selectAll().where("run", "=", run).orderBy("time").orderBy("id").execute();
}

/** The attempts of the same run that have a page, by number. */
export async function listAttempts(
  db: Queries,
  { iss, repository_id, run_id }: WorkloadRow,
): Promise<{ run: string; run_attempt: string }[]> {
  const rows = await db
    .selectFrom("workloads")
    .select(["run", "run_attempt"])
    .distinct()
    .where("iss", "=", iss)
    .where("repository_id", "=", repository_id)
    .where("run_id", "=", run_id)
    .execute();
  return rows.sort((left, right) => Number(left.run_attempt) - Number(right.run_attempt));
}

export interface LatestRunsQuery {
  readonly before: RunCursor | undefined;
  /** `owner/name`, exactly as in the names of its robots. */
  readonly repository: string | undefined;
  readonly limit: number;
}

/** Runs by their newest session, the latest first. */
export async function listLatestRuns(
  db: Queries,
  { before, repository, limit }: LatestRunsQuery,
): Promise<LatestRun[]> {
  let query = db
    .selectFrom("sessions as s")
    .select(["s.run", "s.id", "s.created_at"])
    .where((row) => row.not(row.exists(laterSessions(row))))
    .orderBy("s.created_at", "desc")
    .orderBy("s.id", "desc")
    .limit(limit);
  if (before !== undefined) {
    query = query.where((row) =>
      row.or([
        row("s.created_at", "<", before.createdAt),
        row.and([row("s.created_at", "=", before.createdAt), row("s.id", "<", before.session)]),
      ]),
    );
  }
  if (repository !== undefined) {
    const owner = `${repository}/`;
    query = query.where(sql<string>`substr(s.robot, 1, ${owner.length})`, "=", owner);
  }
  const rows = await query.execute();
  return rows.map((row) => ({ run: row.run, session: row.id, createdAt: row.created_at }));
}

/** Of the same run: a run stands in the list where its newest session stands. */
function laterSessions(row: ExpressionBuilder<Database & { s: SessionRow }, "s">) {
  return row
    .selectFrom("sessions as later")
    .select("later.id")
    .whereRef("later.run", "=", "s.run")
    .where((later) =>
      later.or([
        later("later.created_at", ">", later.ref("s.created_at")),
        later.and([
          later("later.created_at", "=", later.ref("s.created_at")),
          later("later.id", ">", later.ref("s.id")),
        ]),
      ]),
    );
}
