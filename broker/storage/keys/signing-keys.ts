/** Signing keys as they are stored: the private half sealed. A serial is taken once per purpose. */
import type { KeyPurpose, Queries, SigningKeyRow } from "../schema.ts";
import { runsSideBySide } from "../transactions.ts";

/** Keeps the row unless the purpose has a key of this serial already. */
export async function keepSigningKey(db: Queries, row: SigningKeyRow): Promise<void> {
  await db
    .insertInto("signing_keys")
    .values(row)
    .onConflict((conflict) => conflict.columns(["purpose", "serial"]).doNothing())
    .execute();
}

/** Oldest first. */
export async function listSigningKeys(db: Queries, purpose: KeyPurpose): Promise<SigningKeyRow[]> {
  return db.selectFrom("signing_keys").selectAll().where("purpose", "=", purpose).orderBy("serial").execute();
}

/** Undefined: there is no such key. */
export async function findKeyPurpose(db: Queries, kid: string): Promise<KeyPurpose | undefined> {
  const row = await db.selectFrom("signing_keys").select("purpose").where("kid", "=", kid).executeTakeFirst();
  return row?.purpose;
}

/** In a transaction: the keys of the purpose of this one, oldest first; nobody else changes them before it is over. */
export async function lockSigningKeys(db: Queries, kid: string): Promise<SigningKeyRow[]> {
  return db
    .selectFrom("signing_keys")
    .selectAll()
    .where("purpose", "=", (row) => row.selectFrom("signing_keys").select("purpose").where("kid", "=", kid))
    .orderBy("serial")
    .$if(runsSideBySide(db), (query) => query.forUpdate())
    .execute();
}

/** What is sealed of a key that is stored and trusted: the rest of the row stays as it is. */
export async function replaceSealedKey(
  db: Queries,
  { kid, sealed_private_jwk }: SigningKeyRow,
): Promise<void> {
  await db
    .updateTable("signing_keys")
    .set({ sealed_private_jwk })
    .where("kid", "=", kid)
    .where("distrusted_at", "is", null)
    .execute();
}

/** Nobody takes it back. */
export async function keepDistrust(
  db: Queries,
  { kid, sealed_private_jwk, distrusted_at }: SigningKeyRow,
): Promise<void> {
  await db
    .updateTable("signing_keys")
    .set({ sealed_private_jwk, distrusted_at })
    .where("kid", "=", kid)
    .execute();
}
