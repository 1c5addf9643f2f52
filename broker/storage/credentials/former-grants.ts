/**
 * Grants that count no more, among what is to be ended: of no session, and with an end that nobody knows. One that is held
 * waits until something else is over, and is claimed by nobody before.
 */
import { sql } from "kysely";
import type { MintedCredentialRow } from "./credential-tables.ts";
import type { Queries } from "../schema.ts";
import { runsSideBySide } from "../transactions.ts";

/** The last moment that a date can name. */
const HELD = 8_640_000_000_000_000;

export type FormerGrantRow = Pick<
  MintedCredentialRow,
  "id" | "credential" | "owner" | "server" | "secret_version" | "digest" | "created_at"
> & { readonly sealed_ticket: string };

/** Any number: with it, this lock is told from others. */
const LOCK = 1_710_204_882;

/** In a transaction: of two that take grants out, the second sees what the first left. */
export async function lockFormerGrants(db: Queries): Promise<void> {
  if (runsSideBySide(db)) await sql`select pg_advisory_xact_lock(${LOCK}::int, 0)`.execute(db);
}

/** Held. */
export async function addFormerGrant(db: Queries, row: FormerGrantRow): Promise<void> {
  await db
    .insertInto("minted_credentials")
    .values({
      ...row,
      ...{ session: "", basis: "", sealed: null, state: "ending", attempts: 0, next_attempt_at: HELD },
      ...{ expires_at: null, ended_at: null, failure: null },
    })
    .execute();
}

export async function listHeldGrants(db: Queries): Promise<MintedCredentialRow[]> {
  return db
    .selectFrom("minted_credentials")
    .selectAll()
    .where("state", "=", "ending")
    .where("next_attempt_at", "=", HELD)
    .orderBy("created_at")
    .execute();
}

export async function explainHeldGrant(db: Queries, id: string, failure: string): Promise<void> {
  await db.updateTable("minted_credentials").set({ failure }).where("id", "=", id).execute();
}

/** Ended from then on, as long as `until`. */
export async function releaseGrant(
  db: Queries,
  id: string,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<MintedCredentialRow> {
  return db
    .updateTable("minted_credentials")
    .set({ next_attempt_at: from, expires_at: until, failure: null })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
