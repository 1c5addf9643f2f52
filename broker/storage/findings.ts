/**
 * Findings: what a reviewer of the run must see. Bounded per workload and kind, since whoever causes
 * them could do so for ever, and one kind must not crowd out another.
 */
import { randomUUID } from "node:crypto";
import type { FindingRow, Queries } from "./schema.ts";

/** Later ones say nothing that the first did not. */
const MAX_FINDINGS_OF_A_KIND = 20;

/** False: the workload has too many of this kind already. */
export async function recordFinding(db: Queries, finding: Omit<FindingRow, "id">): Promise<boolean> {
  const { count } = await db
    .selectFrom("findings")
    .select((row) => row.fn.countAll<number | bigint | string>().as("count"))
    .where("run", "=", finding.run)
    .where("workload", "=", finding.workload)
    .where("kind", "=", finding.kind)
    .executeTakeFirstOrThrow();
  if (Number(count) >= MAX_FINDINGS_OF_A_KIND) {
    return false;
  }
  await db
    .insertInto("findings")
    .values({ id: randomUUID(), ...finding })
    .execute();
  return true;
}

/** About the workload of a session: those of the session itself, and those of no session in particular. */
export async function listFindings(
  db: Queries,
  { run, workload, session }: { run: string; workload: string; session: string },
): Promise<FindingRow[]> {
  return db
    .selectFrom("findings")
    .selectAll()
    .where("run", "=", run)
    .where("workload", "=", workload)
    .where((row) => row.or([row("session", "is", null), row("session", "=", session)]))
    .orderBy("time")
    .execute();
}
