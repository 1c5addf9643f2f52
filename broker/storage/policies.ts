/**
 * The policies that sessions were given, by digest: what a robot was allowed then, not what it is allowed now.
 */
import type { PolicyRow, Queries } from "./schema.ts";
import { inWritingOrder } from "./writing-order.ts";

export async function keepPolicies(db: Queries, rows: readonly PolicyRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db
    .insertInto("policies")
    .values(inWritingOrder(rows, ({ digest }) => digest))
    .onConflict((conflict) => conflict.column("digest").doNothing())
    .execute();
}

/** The canonical source. */
export async function readPolicy(db: Queries, digest: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("policies")
    .select("source")
    .where("digest", "=", digest)
    .executeTakeFirst();
  return row?.source;
}
