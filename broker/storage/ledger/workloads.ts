/**
 * Which key a job belongs to. The first that is written stays, for all robots and for good; a job whose run is in a
 * later attempt is over, and binds nothing any more.
 */
import { isOver } from "./later-attempt.ts";
import type { WorkloadRow } from "../schema.ts";
import { type Runner, defineRead, defineWrite } from "./statements.ts";

const COLUMNS = [
  "id",
  "run",
  "iss",
  "repository_id",
  "run_id",
  "run_attempt",
  "check_run_id",
  "thumbprint",
  "bound_at",
] as const;

const BIND_WORKLOAD = defineWrite(
  { table: "workloads", columns: COLUMNS, key: ["id"] },
  ({ db, sideBySide }) =>
    db
      .insertInto("workloads")
      .columns(COLUMNS)
      .expression(db.selectFrom("given").select(COLUMNS).where(isOver("given"), "=", 0))
      .onConflict((conflict) => conflict.column("id").doNothing())
      .$if(sideBySide, (query) => query.returning("id")),
);
const FIND_WORKLOAD = defineRead({ table: "workloads", columns: ["id"] }, ({ db }) =>
  db
    .selectFrom("given")
    .innerJoin("workloads", "workloads.id", "given.id")
    .selectAll("workloads")
    .select(isOver("workloads").as("over")),
);

export interface Bound {
  /** The rows that hold from now on, by id: the given one, or the one that was there before. */
  readonly owners: ReadonlyMap<string, WorkloadRow>;
  /** The ids of those whose run is in a later attempt, bound or not. */
  readonly over: ReadonlySet<string>;
}

/** In a transaction. `others` only ask whose they are. Of several rows for one job, the first is bound. */
export async function bindWorkloads(
  runner: Runner,
  rows: readonly WorkloadRow[],
  others: readonly string[],
): Promise<Bound> {
  const written = await runner.write(BIND_WORKLOAD, rows);
  const owners = new Map(rows.filter((_, index) => written[index]).map((row) => [row.id, row]));
  const unbound = new Set(rows.map(({ id }) => id).filter((id) => !owners.has(id)));
  const asked = new Set([...unbound, ...others.filter((id) => !owners.has(id))]);
  const found = await runner.read(
    FIND_WORKLOAD,
    [...asked].map((id) => ({ id })),
  );
  const over = new Set(unbound);
  for (const { over: isRowOver, ...row } of found) {
    owners.set(row.id, row);
    if (isRowOver === 0) over.delete(row.id);
  }
  return { owners, over };
}
