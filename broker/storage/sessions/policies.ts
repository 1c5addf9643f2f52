/**
 * The policies that sessions were given, by digest: what a robot was allowed then, not what it is allowed now.
 */
import type { PolicyRow, Queries } from "../schema.ts";
import { type Runner, defineInsert } from "../ledger/statements.ts";

const KEEP_POLICY = defineInsert({
  table: "policies",
  columns: ["digest", "source", "created_at"],
  key: ["digest"],
});

export async function keepPolicies(runner: Runner, rows: readonly PolicyRow[]): Promise<void> {
  await runner.write(KEEP_POLICY, rows);
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
