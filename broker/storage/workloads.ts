/**
 * Which key a job belongs to. The first that is written stays, for all robots and for good.
 */
import type { Queries, WorkloadRow } from "./schema.ts";
import { inWritingOrder } from "./writing-order.ts";

/**
 * In a transaction. Returns the rows that hold from now on, by id, for those that bind and for `others`, who only ask:
 * the given one, or the one that was there before; of several for one job, the first.
 */
export async function bindWorkloads(
  db: Queries,
  rows: readonly WorkloadRow[],
  others: readonly string[],
): Promise<Map<string, WorkloadRow>> {
  const candidates = inWritingOrder(rows, ({ id }) => id);
  const bound = candidates.length === 0 ? [] : await insert(db, candidates);
  const holding = new Map(
    candidates.filter(({ id }) => bound.includes(id)).map((row) => [row.id, row] as const),
  );
  const missing = [...candidates.map(({ id }) => id), ...others].filter((id) => !holding.has(id));
  if (missing.length > 0) {
    const present = await db.selectFrom("workloads").selectAll().where("id", "in", missing).execute();
    for (const row of present) holding.set(row.id, row);
  }
  return holding;
}

async function insert(db: Queries, rows: readonly WorkloadRow[]): Promise<string[]> {
  const inserted = await db
    .insertInto("workloads")
    .values([...rows])
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returning("id")
    .execute();
  return inserted.map(({ id }) => id);
}
