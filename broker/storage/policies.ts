/**
 * The policies that sessions were given, by digest: what a robot was allowed then, not what it is allowed now.
 */
import type { PolicyRow, Queries } from "./schema.ts";

export async function keepPolicy(db: Queries, row: PolicyRow): Promise<void> {
  await db
    .insertInto("policies")
    .values(row)
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
