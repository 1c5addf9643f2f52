/** The operator who revoked a session; null: nobody, or the job itself. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const revokedBy: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable("sessions").addColumn("revoked_by", "text").execute();
  },
};
