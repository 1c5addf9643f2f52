/** Secrets as they are stored. A version is given once, and what was erased keeps its row. */
import { sql } from "kysely";
import type { CredentialSecretRow } from "./credential-tables.ts";
import type { Queries } from "../schema.ts";
import { runsSideBySide } from "../transactions.ts";

export type SecretOwner = Pick<CredentialSecretRow, "name" | "owner">;

/** Newest first, also those that were erased. */
export async function listSecretVersions(
  db: Queries,
  { name, owner }: SecretOwner,
): Promise<CredentialSecretRow[]> {
  return db
    .selectFrom("credential_secrets")
    .selectAll()
    .where("name", "=", name)
    .where("owner", "=", owner)
    .orderBy("version", "desc")
    .execute();
}

/** Any number: with it, locks of this kind are told from those of others. */
const LOCK = 1_710_204_881;

/** In a transaction: the same, and nobody else changes them or adds another before it is over. */
export async function lockSecretVersions(db: Queries, of: SecretOwner): Promise<CredentialSecretRow[]> {
  if (runsSideBySide(db)) {
    // A lock on the rows would let two add the next one.
    const key = JSON.stringify([of.name, of.owner]);
    await sql`select pg_advisory_xact_lock(${LOCK}::int, hashtext(${key}))`.execute(db);
  }
  return listSecretVersions(db, of);
}

/** By name and owner, newest first. */
export async function listSecrets(db: Queries): Promise<CredentialSecretRow[]> {
  return db
    .selectFrom("credential_secrets")
    .selectAll()
    .orderBy("name")
    .orderBy("owner")
    .orderBy("version", "desc")
    .execute();
}

export async function keepSecret(db: Queries, row: CredentialSecretRow): Promise<void> {
  await db.insertInto("credential_secrets").values(row).execute();
}

export async function limitSecret(
  db: Queries,
  { name, owner, version }: Pick<CredentialSecretRow, "name" | "owner" | "version">,
  validUntil: number,
): Promise<void> {
  await db
    .updateTable("credential_secrets")
    .set({ valid_until: validUntil })
    .where("name", "=", name)
    .where("owner", "=", owner)
    .where("version", "=", version)
    .execute();
}

export interface Erasure {
  readonly at: number;
  /** Null: nobody, its time was over or a new one took its place. */
  readonly by: string | null;
}

/** Those of these versions that are not erased yet. */
export async function eraseSecrets(
  db: Queries,
  { name, owner, versions }: SecretOwner & { readonly versions: readonly number[] },
  { at, by }: Erasure,
): Promise<void> {
  if (versions.length === 0) return;
  await db
    .updateTable("credential_secrets")
    .set({ sealed: null, erased_at: at, erased_by: by })
    .where("name", "=", name)
    .where("owner", "=", owner)
    .where("version", "in", versions)
    .where("sealed", "is not", null)
    .execute();
}

/** Rows that only the broker wrote say nothing that must be kept; the newest stays, as its number counts. */
export async function forgetReplacements(
  db: Queries,
  { name, owner, before }: SecretOwner & { readonly before: number },
): Promise<void> {
  await db
    .deleteFrom("credential_secrets")
    .where("name", "=", name)
    .where("owner", "=", owner)
    .where("version", "<", before)
    .where("created_by", "is", null)
    .where("sealed", "is", null)
    .execute();
}

/** Whose time is over, everywhere. */
export async function eraseOverdueSecrets(db: Queries, now: number): Promise<void> {
  await db
    .updateTable("credential_secrets")
    .set({ sealed: null, erased_at: now, erased_by: null })
    .where("valid_until", "<=", now)
    .where("sealed", "is not", null)
    .execute();
}

/** Only forward, and not more often than `after` says: it is written for people. */
export async function noteSecretUse(
  db: Queries,
  { name, owner, version }: Pick<CredentialSecretRow, "name" | "owner" | "version">,
  { at, after }: { readonly at: number; readonly after: number },
): Promise<void> {
  await db
    .updateTable("credential_secrets")
    .set({ last_used_at: at })
    .where("name", "=", name)
    .where("owner", "=", owner)
    .where("version", "=", version)
    .where((row) => row.or([row("last_used_at", "is", null), row("last_used_at", "<=", after)]))
    .execute();
}
