/**
 * Removal of sessions that ended long ago, with all that is known of them alone: segments, changes, findings, the job
 * once it has no other session, the policy once nobody else was given it. Logs in the bucket are not touched, nor are
 * the keys that verify them.
 * A session goes whole in one transaction, so that nobody sees half of one, and few go in each, so that nobody waits long
 * for it. One replica at a time does it.
 */
import { sql } from "kysely";
import type { Queries } from "../schema.ts";
import { inTransaction, runsSideBySide } from "../transactions.ts";

/** Of one transaction: so many sessions, and beyond the first of them no more than so many segments. */
const MAX_SESSIONS = 100;
const MAX_SEGMENTS = 5_000;
/** Of one go; what is left is for the next. */
const MAX_TRANSACTIONS = 100;
/** Any number: no other lock of this kind is taken in the database. */
const LOCK = 4_118_203_117;

/** `before` in milliseconds since the epoch. Returns how many sessions it removed. */
export async function removeSessions(db: Queries, before: number): Promise<number> {
  let removed = 0;
  for (let transactions = 0; transactions < MAX_TRANSACTIONS; transactions += 1) {
    const sessions = await inTransaction(db, async (transaction) => removeSome(transaction, before));
    if (sessions === 0) break;
    removed += sessions;
  }
  return removed;
}

async function removeSome(db: Queries, before: number): Promise<number> {
  if (runsSideBySide(db)) {
    const { rows } = await sql<{ own: boolean }>`select pg_try_advisory_xact_lock(${LOCK}) as own`.execute(
      db,
    );
    if (rows[0]?.own !== true) return 0;
  }
  const sessions = bound(await listEnded(db, before));
  if (sessions.length === 0) return 0;
  const ids = sessions.map(({ id }) => id);
  const changes = await db
    .selectFrom("policy_changes")
    .select("policy")
    .where("session", "in", ids)
    .execute();
  await db.deleteFrom("segments").where("session", "in", ids).execute();
  await db.deleteFrom("policy_changes").where("session", "in", ids).execute();
  await db.deleteFrom("relay_records").where("session", "in", ids).execute();
  await db.deleteFrom("relay_segments").where("session", "in", ids).execute();
  await db.deleteFrom("relay_logs").where("session", "in", ids).execute();
  // One that is still to be ended at its issuer stays until it is.
  await db
    .deleteFrom("minted_credentials")
    .where("session", "in", ids)
    .where("state", "=", "ended")
    .execute();
  await db.deleteFrom("sessions").where("id", "in", ids).execute();
  await removeJobs(db, sessions);
  await removePolicies(db, [...sessions, ...changes]);
  return sessions.length;
}

interface EndedSession {
  readonly id: string;
  readonly workload: string;
  readonly policy: string;
  /** The last one's number; null: there are none. */
  readonly segments: number | null;
}

/**
 * One that ended early was good for some time more, one that was sealed late had run out: both times are past. What was
 * relayed for it is in the bucket.
 */
async function listEnded(db: Queries, before: number): Promise<EndedSession[]> {
  return (
    db
      .selectFrom("sessions")
      .select(["id", "workload", "policy"])
      .select((row) =>
        row
          .selectFrom("segments")
          .select(({ fn }) => fn.max("segment").as("last"))
          .whereRef("segments.session", "=", "sessions.id")
          .as("segments"),
      )
      .where("state", "in", ["expired", "sealed", "recovered", "revoked"])
      .where("expires_at", "<", before)
      .where("ended_at", "<", before)
      // What was relayed goes to the bucket first.
      .where((row) =>
        row.not(
          row.exists(
            row
              .selectFrom("relay_logs")
              .select("relay_logs.session")
              .whereRef("relay_logs.session", "=", "sessions.id")
              .where("relay_logs.packed_at", "is", null),
          ),
        ),
      )
      .limit(MAX_SESSIONS)
      .$if(runsSideBySide(db), (query) => query.forUpdate())
      .execute()
  );
}

function bound(sessions: readonly EndedSession[]): EndedSession[] {
  let total = 0;
  return sessions.filter(({ segments }, index) => {
    total += segments ?? 0;
    return index === 0 || total <= MAX_SEGMENTS;
  });
}

/** Those without another session, with all that was noticed about them; of others, what is about these sessions. */
async function removeJobs(db: Queries, sessions: readonly EndedSession[]): Promise<void> {
  const ids = sessions.map(({ id }) => id);
  const workloads = [...new Set(sessions.map(({ workload }) => workload))];
  await db
    .deleteFrom("workloads")
    .where("id", "in", workloads)
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom("sessions")
            .select("sessions.id")
            .whereRef("sessions.run", "=", "workloads.run")
            .whereRef("sessions.workload", "=", "workloads.id"),
        ),
      ),
    )
    .execute();
  await db
    .deleteFrom("findings")
    .where("workload", "in", workloads)
    .where((row) =>
      row.or([
        row("session", "in", ids),
        row.not(
          row.exists(
            row
              .selectFrom("workloads")
              .select("workloads.id")
              .whereRef("workloads.id", "=", "findings.workload"),
          ),
        ),
      ]),
    )
    .execute();
}

async function removePolicies(db: Queries, given: readonly { readonly policy: string }[]): Promise<void> {
  await db
    .deleteFrom("policies")
    .where("digest", "in", [...new Set(given.map(({ policy }) => policy))])
    .where((row) =>
      row.not(
        row.or([
          row.exists(
            row
              .selectFrom("sessions")
              .select("sessions.id")
              .whereRef("sessions.policy", "=", "policies.digest"),
          ),
          row.exists(
            row
              .selectFrom("policy_changes")
              .select("policy_changes.session")
              .whereRef("policy_changes.policy", "=", "policies.digest"),
          ),
        ]),
      ),
    )
    .execute();
}
