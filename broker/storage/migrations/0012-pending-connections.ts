/** Connections to authorization servers that somebody has begun and not finished. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const pendingConnections: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("pending_connections")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("state_hash", "text", (column) => column.notNull().unique())
      .addColumn("credential", "text", (column) => column.notNull())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull())
      .addColumn("sealed_answer", "text")
      .execute();
  },
};
