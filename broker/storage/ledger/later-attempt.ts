/**
 * Whether a job is over because its run is in a later attempt: GitHub starts one only after the one before has ended,
 * also where it runs the failed jobs alone again.
 */
import { type RawBuilder, sql } from "kysely";
import type { Queries } from "../schema.ts";

/**
 * For a query over `workloads`, or rows like theirs: 1 where a later attempt of the row's run is bound, 0 where none is.
 * It is a part of the query that reads or writes the row, and so costs no other.
 */
export function isOver(rows: "workloads" | "given"): RawBuilder<number> {
  const column = (name: string) => sql.ref(`${rows}.${name}`);
  const sameRun = sql`later.run_id = ${column("run_id")}
    and later.repository_id = ${column("repository_id")} and later.iss = ${column("iss")}`;
  // Numbers as text: the longer one is greater. In two halves, each of which is one look into the index.
  return sql<number>`case when exists (
    select 1 from workloads as later where ${sameRun}
      and length(later.run_attempt) = length(${column("run_attempt")}) and later.run_attempt > ${column("run_attempt")}
  ) or exists (
    select 1 from workloads as later where ${sameRun}
      and length(later.run_attempt) > length(${column("run_attempt")})
  ) then 1 else 0 end`;
}

/** Of a job that is bound; false of one that is not known. */
export async function findOver(db: Queries, workload: string): Promise<boolean> {
  const row = await db
    .selectFrom("workloads")
    .select(isOver("workloads").as("over"))
    .where("id", "=", workload)
    .executeTakeFirst();
  return row?.over === 1;
}
