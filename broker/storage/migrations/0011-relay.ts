/** The relay: where the log of each session's relayed calls stands, what of it is not in the bucket yet, and what is. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const relay: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("relay_logs")
      .addColumn("session", "text", (column) => column.primaryKey())
      .addColumn("next_seq", "integer", (column) => column.notNull())
      .addColumn("head", "text", (column) => column.notNull())
      .addColumn("time", "text", (column) => column.notNull())
      .addColumn("usage", "text", (column) => column.notNull())
      .addColumn("totals", "text", (column) => column.notNull())
      .addColumn("unpacked_bytes", "bigint", (column) => column.notNull())
      .addColumn("sealed_at", "bigint")
      .addColumn("packed_at", "bigint")
      .execute();
    await db.schema
      .createIndex("relay_logs_unpacked")
      .on("relay_logs")
      .column("packed_at")
      .where("packed_at", "is", null)
      .execute();
    await db.schema
      .createTable("relay_records")
      .addColumn("session", "text", (column) => column.notNull())
      .addColumn("first_seq", "integer", (column) => column.notNull())
      .addColumn("last_seq", "integer", (column) => column.notNull())
      .addColumn("prev", "text", (column) => column.notNull())
      .addColumn("head", "text", (column) => column.notNull())
      .addColumn("bytes", "integer", (column) => column.notNull())
      .addColumn("lines", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("relay_records_key", ["session", "first_seq"])
      .execute();
    await db.schema
      .createTable("relay_segments")
      .addColumn("session", "text", (column) => column.notNull())
      .addColumn("segment", "integer", (column) => column.notNull())
      .addColumn("first_seq", "integer", (column) => column.notNull())
      .addColumn("last_seq", "integer", (column) => column.notNull())
      .addColumn("prev", "text", (column) => column.notNull())
      .addColumn("head", "text", (column) => column.notNull())
      .addColumn("bytes", "integer")
      .addColumn("sha256", "text")
      .addColumn("stored_at", "bigint")
      .addPrimaryKeyConstraint("relay_segments_key", ["session", "segment"])
      .execute();
  },
};
