/** Sealing keys as KMS sealed them. */
import type { DataKeyRow } from "../credentials/credential-tables.ts";
import type { Queries } from "../schema.ts";

/** Oldest first. */
export async function listDataKeys(db: Queries): Promise<DataKeyRow[]> {
  return db.selectFrom("data_keys").selectAll().orderBy("serial").execute();
}

/** False: the serial is taken. */
export async function keepDataKey(db: Queries, row: DataKeyRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto("data_keys")
    .values(row)
    .onConflict((conflict) => conflict.column("serial").doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows > 0n;
}

export async function dropDataKey(db: Queries, kid: string): Promise<void> {
  await db.deleteFrom("data_keys").where("kid", "=", kid).execute();
}
