/**
 * Findings: what a reviewer of the run must see. Bounded per workload and kind, since whoever causes
 * them could do so for ever, and one kind must not crowd out another.
 */
import { randomUUID } from "node:crypto";
import { runnerOf } from "../ledger/runner.ts";
import type { FindingRow, Queries } from "../schema.ts";
import { type Runner, defineInsert, defineRead } from "../ledger/statements.ts";
import { inTransaction } from "../transactions.ts";

/** Later ones say nothing that the first did not. */
const MAX_FINDINGS_OF_A_KIND = 20;

type Finding = Omit<FindingRow, "id">;

const LOCK_WORKLOAD = defineRead({ table: "workloads", columns: ["id"] }, ({ db, sideBySide }) =>
  db
    .selectFrom("given")
    .innerJoin("workloads", "workloads.id", "given.id")
    .select("workloads.id")
    .orderBy("workloads.id")
    .$if(sideBySide, (query) => query.forNoKeyUpdate(["workloads"])),
);
const COUNT_FINDINGS = defineRead({ table: "findings", columns: ["workload"] }, ({ db }) =>
  db
    .selectFrom("given")
    .innerJoin("findings", "findings.workload", "given.workload")
    .select((row) => ["findings.workload", "findings.kind", row.fn.countAll<number>().as("count")])
    .groupBy(["findings.workload", "findings.kind"]),
);
const KEEP_FINDING = defineInsert({
  table: "findings",
  columns: ["id", "run", "workload", "session", "kind", "detail", "time"],
  key: ["id"],
});

/** Beyond the bound it is left out. */
export async function recordFinding(db: Queries, finding: Finding): Promise<void> {
  await inTransaction(db, async (transaction) => recordFindings(runnerOf(transaction), [finding]));
}

/** In a transaction, as its last part: the bound holds across replicas. */
export async function recordFindings(runner: Runner, findings: readonly Finding[]): Promise<void> {
  if (findings.length === 0) return;
  const workloads = [...new Set(findings.map(({ workload }) => workload))];
  // Nobody else adds to what is known of these jobs before the transaction is over.
  await runner.read(
    LOCK_WORKLOAD,
    workloads.map((id) => ({ id })),
  );
  const counts = await runner.read(
    COUNT_FINDINGS,
    workloads.map((workload) => ({ workload })),
  );
  const known = new Map(counts.map((row) => [keyOf(row), row.count]));
  const recorded = findings.filter((finding) => {
    const count = known.get(keyOf(finding)) ?? 0;
    known.set(keyOf(finding), count + 1);
    return count < MAX_FINDINGS_OF_A_KIND;
  });
  await runner.write(
    KEEP_FINDING,
    recorded.map((finding) => ({ id: randomUUID(), ...finding })),
  );
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
