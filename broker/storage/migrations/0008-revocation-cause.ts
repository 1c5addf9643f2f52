/** Why a session was revoked where nobody did it by hand; null: somebody did, or the job itself. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const revocationCause: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable("sessions").addColumn("revocation_cause", "text").execute();
  },
};
