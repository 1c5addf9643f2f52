/**
 * Minted credentials on their way out: of sessions that are over, to be ended at their issuer, tried again, over. What is
 * to be done next is one query, whichever broker asks it.
 */
import type { MintedCredentialRow } from "./credential-tables.ts";
import type { Queries } from "../schema.ts";

/** Those that are presented in sessions that are over, however they ended, or that are no longer known. */
export async function listOfEndedSessions(
  db: Queries,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<{ id: string }[]> {
  return ofEndedSessions(db, now).where("minted_credentials.state", "=", "active").limit(limit).execute();
}

/** Of such sessions, what is still to be ended much later: it was replaced while the session ran. */
export async function hurryReplaced(
  db: Queries,
  { now, after }: { readonly now: number; readonly after: number },
): Promise<void> {
  const late = ofEndedSessions(db, now)
    .where("minted_credentials.state", "=", "ending")
    .where("minted_credentials.attempts", "=", 0)
    .where("minted_credentials.next_attempt_at", ">", after);
  await db.updateTable("minted_credentials").set({ next_attempt_at: now }).where("id", "in", late).execute();
}

function ofEndedSessions(db: Queries, now: number) {
  return db
    .selectFrom("minted_credentials")
    .leftJoin("sessions", "sessions.id", "minted_credentials.session")
    .select("minted_credentials.id")
    .where("minted_credentials.session", "<>", "")
    .where((row) =>
      row.or([
        row("sessions.id", "is", null),
        row("sessions.state", "<>", "active"),
        row("sessions.expires_at", "<=", now),
      ]),
    );
}

/** Asked for so long ago that whoever asked is gone. Nobody knows what the answer was; it is left to run out. */
export async function giveUpAsked(
  db: Queries,
  {
    before,
    expiresAt,
    failure,
  }: { readonly before: number; readonly expiresAt: number; readonly failure: string },
): Promise<MintedCredentialRow[]> {
  return db
    .updateTable("minted_credentials")
    .set({ state: "lapsing", expires_at: expiresAt, failure })
    .where("state", "=", "asked")
    .where("created_at", "<", before)
    .returningAll()
    .execute();
}

/** To be ended now; each goes to one caller, and to the next one after `until`. */
export async function claimEnding(
  db: Queries,
  { now, until, limit }: { readonly now: number; readonly until: number; readonly limit: number },
): Promise<MintedCredentialRow[]> {
  const due = await db
    .selectFrom("minted_credentials")
    .select(["id", "next_attempt_at"])
    .where("state", "=", "ending")
    .where("next_attempt_at", "<=", now)
    .orderBy("next_attempt_at")
    .limit(limit)
    .execute();
  const claimed = await Promise.all(
    due.map(({ id, next_attempt_at }) =>
      db
        .updateTable("minted_credentials")
        .set({ next_attempt_at: until })
        .where("id", "=", id)
        .where("state", "=", "ending")
        .where("next_attempt_at", "=", next_attempt_at)
        .returningAll()
        .executeTakeFirst(),
    ),
  );
  return claimed.filter((row) => row !== undefined);
}

export async function noteEnded(db: Queries, id: string, at: number): Promise<void> {
  await db
    .updateTable("minted_credentials")
    .set({
      state: "ended",
      sealed: null,
      sealed_ticket: null,
      ended_at: at,
      next_attempt_at: null,
      failure: null,
    })
    .where("id", "=", id)
    .execute();
}

export async function noteEndFailed(
  db: Queries,
  id: string,
  { failure, nextAttemptAt }: { readonly failure: string; readonly nextAttemptAt: number },
): Promise<void> {
  await db
    .updateTable("minted_credentials")
    .set((row) => ({ attempts: row("attempts", "+", 1), failure, next_attempt_at: nextAttemptAt }))
    .where("id", "=", id)
    .where("state", "=", "ending")
    .execute();
}

/** What has run out needs no end any more, whether or not it was tried. */
export async function noteRunOut(db: Queries, now: number): Promise<MintedCredentialRow[]> {
  return db
    .updateTable("minted_credentials")
    .set({ state: "ended", sealed: null, sealed_ticket: null, ended_at: now, next_attempt_at: null })
    .where("state", "in", ["ending", "lapsing"])
    .where("expires_at", "<=", now)
    .returningAll()
    .execute();
}

/** Its issuer ends nothing of the kind: it stands in the list as long as it was to be tried. */
export async function noteEndless(db: Queries, id: string, failure: string): Promise<void> {
  await db
    .updateTable("minted_credentials")
    .set({ state: "lapsing", sealed_ticket: null, next_attempt_at: null, failure })
    .where("id", "=", id)
    .where("state", "=", "ending")
    .execute();
}

/**
 * Those whose session keeps no record of them. What is left to run out, and nobody knows when, is among them as soon as it
 * is old enough: no day comes that would end it, and each renewal of such a token leaves one behind.
 */
export async function forgetEnded(db: Queries, before: number): Promise<void> {
  await db
    .deleteFrom("minted_credentials")
    .where((row) =>
      row.or([
        row.and([row("state", "=", "ended"), row("ended_at", "<", before)]),
        row.and([
          row("state", "=", "lapsing"),
          row("expires_at", "is", null),
          row("created_at", "<", before),
        ]),
      ]),
    )
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom("sessions")
            .select("sessions.id")
            .whereRef("sessions.id", "=", "minted_credentials.session"),
        ),
      ),
    )
    .execute();
}

/** How many are still to be ended; `failed`: in vain so far. */
export async function countEnding(db: Queries): Promise<{ waiting: number; failed: number }> {
  const rows = await db
    .selectFrom("minted_credentials")
    .select((row) => ["attempts", row.fn.countAll<number | bigint | string>().as("count")])
    .where("state", "=", "ending")
    .groupBy("attempts")
    .execute();
  const sum = (counted: typeof rows): number =>
    counted.reduce((total, { count }) => total + Number(count), 0);
  return {
    waiting: sum(rows.filter(({ attempts }) => attempts === 0)),
    failed: sum(rows.filter(({ attempts }) => attempts > 0)),
  };
}
