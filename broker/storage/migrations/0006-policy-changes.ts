/** Sessions that lose what an edit of the documents takes away, and what each of them lost. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const policyChanges: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable("sessions")
      .addColumn("revoke_on_change", "integer", (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .alterTable("sessions")
      .addColumn("checked_against", "text", (column) => column.notNull().defaultTo(""))
      .execute();
    await db.schema.alterTable("sessions").addColumn("narrowed_policy", "text").execute();
    await db.schema
      .createTable("policy_changes")
      .addColumn("session", "text", (column) => column.notNull().references("sessions.id"))
      .addColumn("policy", "text", (column) => column.notNull().references("policies.digest"))
      .addColumn("documents", "text", (column) => column.notNull())
      .addColumn("lost", "text", (column) => column.notNull())
      .addColumn("time", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("policy_changes_key", ["session", "policy"])
      .execute();
  },
};
