/** Since when a signing key is not to be trusted; null: it is. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const distrustedKeys: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable("signing_keys").addColumn("distrusted_at", "bigint").execute();
  },
};
