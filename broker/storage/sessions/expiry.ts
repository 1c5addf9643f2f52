/**
 * What time does to rows: sessions that ran out are marked, what was spent is forgotten once it is refused for its age
 * anyway. In small transactions, so that nobody waits long for one, and on each row one replica at a time.
 * Jobs stay bound to their key for as long as their sessions are known, see retention.ts: a job that GitHub lets run for
 * days, in a run that it lets go on for weeks, never finds its binding gone.
 */
import { forgetPendingConnections } from "../credentials/pending-connections.ts";
import type { Queries } from "../schema.ts";
import { runsSideBySide } from "../transactions.ts";

/** Of one statement. */
const MAX_ROWS = 500;
/** Of one kind in one go: 500,000 rows; what is left is for the next. */
const MAX_STATEMENTS = 1_000;
/** A replica whose clock is behind still accepts what has expired here; it asks what was spent for so much longer. */
const CLOCK_DIFFERENCE_MS = 10 * 60_000;

/**
 * `now` in milliseconds since the epoch. Nothing depends on when this is called: every check compares times itself.
 * Returns how many sessions it marked.
 */
export async function expireRows(db: Queries, now: number): Promise<number> {
  const forgotten = now - CLOCK_DIFFERENCE_MS;
  await repeat(async () => forgetTokens(db, forgotten));
  await repeat(async () => forgetProofs(db, forgotten));
  await forgetPendingConnections(db, now);
  return repeat(async () => expireSessions(db, now));
}

async function repeat(step: () => Promise<bigint>): Promise<number> {
  let rows = 0;
  for (let statements = 0; statements < MAX_STATEMENTS; statements += 1) {
    const changed = Number(await step());
    rows += changed;
    if (changed < MAX_ROWS) break;
  }
  return rows;
}

async function forgetTokens(db: Queries, before: number): Promise<bigint> {
  const { numDeletedRows } = await db
    .deleteFrom("used_tokens")
    .where((row) =>
      row(
        row.refTuple("iss", "jti"),
        "in",
        row
          .selectFrom("used_tokens")
          .select(["iss", "jti"])
          .where("expires_at", "<", before)
          .limit(MAX_ROWS)
          .$if(runsSideBySide(db), (query) => query.forUpdate().skipLocked())
          .$asTuple("iss", "jti"),
      ),
    )
    .executeTakeFirstOrThrow();
  return numDeletedRows;
}

async function forgetProofs(db: Queries, before: number): Promise<bigint> {
  const { numDeletedRows } = await db
    .deleteFrom("used_proofs")
    .where((row) =>
      row(
        row.refTuple("thumbprint", "jti"),
        "in",
        row
          .selectFrom("used_proofs")
          .select(["thumbprint", "jti"])
          .where("expires_at", "<", before)
          .limit(MAX_ROWS)
          .$if(runsSideBySide(db), (query) => query.forUpdate().skipLocked())
          .$asTuple("thumbprint", "jti"),
      ),
    )
    .executeTakeFirstOrThrow();
  return numDeletedRows;
}

/** One that is renewed in this moment is not expired: the times are compared once more when it is its turn. */
async function expireSessions(db: Queries, now: number): Promise<bigint> {
  const { numUpdatedRows } = await db
    .updateTable("sessions")
    .set((row) => ({ state: "expired", ended_at: row.ref("expires_at") }))
    .where("state", "=", "active")
    .where("expires_at", "<=", now)
    .where("id", "in", (row) =>
      row
        .selectFrom("sessions")
        .select("id")
        .where("state", "=", "active")
        .where("expires_at", "<=", now)
        .limit(MAX_ROWS)
        .$if(runsSideBySide(db), (query) => query.forNoKeyUpdate().skipLocked()),
    )
    .executeTakeFirstOrThrow();
  return numUpdatedRows;
}
