/** Leases: what one broker of several does alone for a while. Who dies with one loses it when its time is over. */
import type { LeaseRow } from "./credential-tables.ts";
import type { Queries } from "../schema.ts";

/** False: somebody else has it. */
export async function takeLease(db: Queries, lease: LeaseRow, now: number): Promise<boolean> {
  const { holder, until } = lease;
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto("leases")
    .values(lease)
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet({ holder, until }).where("leases.until", "<=", now),
    )
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows > 0n;
}

export async function returnLease(db: Queries, { name, holder }: Omit<LeaseRow, "until">): Promise<void> {
  await db.deleteFrom("leases").where("name", "=", name).where("holder", "=", holder).execute();
}

/** Of those that died with one. */
export async function forgetLeases(db: Queries, before: number): Promise<void> {
  await db.deleteFrom("leases").where("until", "<", before).execute();
}
