/**
 * What an exchange writes lies on fewer pages: an index over random keys costs one for every row. A session's object
 * prefix holds its id and needs no index of its own; the run of a job is known with the job, so one index finds both.
 */
import { PostgresAdapter, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { type Tables, putBack, setAside } from "./set-aside.ts";

export const fewerPages: Migration = {
  async up(db: Tables): Promise<void> {
    if (db.getExecutor().adapter instanceof PostgresAdapter) {
      await db.schema.alterTable("sessions").dropConstraint("sessions_object_prefix_key").execute();
      await db.schema.alterTable("sessions").dropConstraint("sessions_workload_robot").execute();
      await db.schema.dropIndex("sessions_run").execute();
    } else {
      await rebuildSpent(db, { table: "used_tokens", owner: "iss" });
      await rebuildSpent(db, { table: "used_proofs", owner: "thumbprint" });
      await rebuildSessions(db);
      await db.schema.createIndex("sessions_created").on("sessions").column("created_at").execute();
      await db.schema
        .createIndex("sessions_expiry")
        .on("sessions")
        .columns(["state", "expires_at"])
        .execute();
    }
    await db.schema
      .createIndex("sessions_run_workload_robot")
      .unique()
      .on("sessions")
      .columns(["run", "workload", "robot"])
      .execute();
  },
};

/** Its rows lie in the index over their key, not beside it. */
async function rebuildSpent(db: Tables, { table, owner }: { table: string; owner: string }): Promise<void> {
  await setAside(db, table);
  await db.schema
    .createTable(table)
    .addColumn(owner, "text", (column) => column.notNull())
    .addColumn("jti", "text", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint(`${table}_key`, [owner, "jti"])
    .modifyEnd(sql`without rowid`)
    .execute();
  await putBack(db, table);
  await db.schema.createIndex(`${table}_expiry`).on(table).column("expires_at").execute();
}

/** SQLite cannot drop a constraint. What refers to the sessions is set aside with them and made again as it was. */
async function rebuildSessions(db: Tables): Promise<void> {
  const referring = await sql<{ name: string; sql: string }>`
    select name, sql from sqlite_schema where type = 'table' and name in ('segments', 'policy_changes')
  `.execute(db);
  for (const { name } of referring.rows) await setAside(db, name);
  await setAside(db, "sessions");
  await createSessions(db);
  await putBack(db, "sessions");
  for (const { name, sql: definition } of referring.rows) {
    await sql.raw(definition).execute(db);
    await putBack(db, name);
  }
}

/** As the migrations before left it, but for two constraints. */
async function createSessions(db: Tables): Promise<void> {
  await db.schema
    .createTable("sessions")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("workload", "text", (column) => column.notNull().references("workloads.id"))
    .addColumn("run", "text", (column) => column.notNull())
    .addColumn("robot", "text", (column) => column.notNull())
    .addColumn("roles", "text", (column) => column.notNull())
    .addColumn("binding", "integer", (column) => column.notNull())
    .addColumn("claims", "text", (column) => column.notNull())
    .addColumn("policy", "text", (column) => column.notNull().references("policies.digest"))
    .addColumn("servers", "text", (column) => column.notNull())
    .addColumn("salt_key", "text", (column) => column.notNull())
    .addColumn("object_prefix", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("ttl_seconds", "integer", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("max_expires_at", "bigint", (column) => column.notNull())
    .addColumn("ended_at", "bigint")
    .addColumn("recovered_at", "bigint")
    .addColumn("final_segment", "integer")
    .addColumn("revoked_by", "text")
    .addColumn("revoke_on_change", "integer", (column) => column.notNull().defaultTo(0))
    .addColumn("checked_against", "text", (column) => column.notNull().defaultTo(""))
    .addColumn("narrowed_policy", "text")
    .execute();
}
