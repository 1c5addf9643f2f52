/**
 * Which key a job belongs to. The first that is written stays, for all robots and for good.
 */
import type { Queries, WorkloadRow } from "./schema.ts";

export async function findWorkload(db: Queries, id: string): Promise<WorkloadRow | undefined> {
  return db.selectFrom("workloads").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Returns the row that holds from now on: the given one, or the one that was there before. */
export async function bindWorkload(db: Queries, row: WorkloadRow): Promise<WorkloadRow> {
  await db
    .insertInto("workloads")
    .values(row)
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  return db.selectFrom("workloads").selectAll().where("id", "=", row.id).executeTakeFirstOrThrow();
}
