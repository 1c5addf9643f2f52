/**
 * Findings: what a reviewer of the run must see. Bounded per workload and kind, since whoever causes
 * them could do so for ever, and one kind must not crowd out another.
 */
import { randomUUID } from "node:crypto";
import type { FindingRow, Queries } from "./schema.ts";
import { inTransaction, lockWorkloads } from "./transactions.ts";

/** Later ones say nothing that the first did not. */
const MAX_FINDINGS_OF_A_KIND = 20;

type Finding = Omit<FindingRow, "id">;

/** Beyond the bound it is left out. */
export async function recordFinding(db: Queries, finding: Finding): Promise<void> {
  await inTransaction(db, async (transaction) => recordFindings(transaction, [finding]));
}

/** In a transaction, as its last part: the bound holds across replicas. */
export async function recordFindings(db: Queries, findings: readonly Finding[]): Promise<void> {
  if (findings.length === 0) return;
  const workloads = [...new Set(findings.map(({ workload }) => workload))];
  await lockWorkloads(db, workloads);
  const counts = await db
    .selectFrom("findings")
    .select((row) => ["workload", "kind", row.fn.countAll<number>().as("count")])
    .where("workload", "in", workloads)
    .groupBy(["workload", "kind"])
    .execute();
  const known = new Map(counts.map((row) => [keyOf(row), row.count]));
  const recorded = findings.filter((finding) => {
    const count = known.get(keyOf(finding)) ?? 0;
    known.set(keyOf(finding), count + 1);
    return count < MAX_FINDINGS_OF_A_KIND;
  });
  if (recorded.length === 0) return;
  await db
    .insertInto("findings")
    .values(recorded.map((finding) => ({ id: randomUUID(), ...finding })))
    .execute();
}

const keyOf = ({ workload, kind }: Pick<Finding, "workload" | "kind">): string => `${workload} ${kind}`;

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
