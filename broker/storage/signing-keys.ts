/** Signing keys as they are stored: the private half sealed. A serial is taken once per purpose. */
import type { KeyPurpose, Queries, SigningKeyRow } from "./schema.ts";

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

/** What is sealed of a key that is stored: the rest of the row stays as it is. */
export async function replaceSealedKey(
  db: Queries,
  { kid, sealed_private_jwk }: SigningKeyRow,
): Promise<void> {
  await db.updateTable("signing_keys").set({ sealed_private_jwk }).where("kid", "=", kid).execute();
}
