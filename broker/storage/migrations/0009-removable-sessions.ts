/**
 * Sessions, jobs and policies can be removed without reading whole tables. Whether a policy is referred to is looked up
 * in an index. Whether a job is would take one more, over random keys, for every exchange: that constraint goes, since
 * one transaction writes a job with its first session, and one removes it with its last.
 */
import { PostgresAdapter, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { type Tables, putBack, setAside } from "./set-aside.ts";

const REFERENCE = ' references "workloads" ("id")';
/** What refers to the sessions. */
const REFERRING = ["segments", "policy_changes"];

export const removableSessions: Migration = {
  async up(db: Tables): Promise<void> {
    if (db.getExecutor().adapter instanceof PostgresAdapter) {
      await db.schema.alterTable("sessions").dropConstraint("sessions_workload_fkey").execute();
    } else {
      await rebuildSessions(db);
    }
    await db.schema.createIndex("sessions_policy").on("sessions").column("policy").execute();
    await db.schema.createIndex("policy_changes_policy").on("policy_changes").column("policy").execute();
  },
};

/** As they were, but for the reference. */
async function rebuildSessions(db: Tables): Promise<void> {
  const [sessions = "", ...indexes] = await definitionsOf(db, "sessions");
  if (!sessions.includes(REFERENCE)) throw new Error("the sessions do not refer to their jobs");
  const referring = new Map<string, string[]>();
  for (const table of REFERRING) {
    referring.set(table, await definitionsOf(db, table));
    await setAside(db, table);
  }
  await setAside(db, "sessions");
  await sql.raw(sessions.replace(REFERENCE, "")).execute(db);
  await putBack(db, "sessions");
  for (const definition of indexes) await sql.raw(definition).execute(db);
  for (const [table, definitions] of referring) {
    const [definition = "", ...others] = definitions;
    await sql.raw(definition).execute(db);
    await putBack(db, table);
    for (const other of others) await sql.raw(other).execute(db);
  }
}

/** Of the table, then of its indexes. */
async function definitionsOf(db: Tables, table: string): Promise<string[]> {
  const { rows } = await sql<{ sql: string }>`
    select sql from sqlite_schema where tbl_name = ${table} and sql is not null order by type = 'index'
  `.execute(db);
  return rows.map((row) => row.sql);
}
