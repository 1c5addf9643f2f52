/** The credential room: sealed secrets and what is minted from them, and the sealing keys that KMS holds. */
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export const credentials: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("data_keys")
      .addColumn("kid", "text", (column) => column.primaryKey())
      .addColumn("serial", "integer", (column) => column.notNull().unique())
      .addColumn("kms_key", "text", (column) => column.notNull())
      .addColumn("sealed", "text", (column) => column.notNull())
      .addColumn("seals_from", "bigint", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("credential_secrets")
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("sealed", "text")
      .addColumn("digest", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("created_by", "text")
      .addColumn("expires_at", "bigint")
      .addColumn("valid_until", "bigint")
      .addColumn("last_used_at", "bigint")
      .addColumn("erased_at", "bigint")
      .addColumn("erased_by", "text")
      .addPrimaryKeyConstraint("credential_secrets_key", ["name", "owner", "version"])
      .execute();
    await createMinted(db);
    await db.schema
      .createTable("credential_health")
      .addColumn("credential", "text", (column) => column.notNull())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("last_used_at", "bigint")
      .addColumn("last_good_at", "bigint")
      .addColumn("failing_since", "bigint")
      .addColumn("failure_code", "text")
      .addColumn("failure", "text")
      .addPrimaryKeyConstraint("credential_health_key", ["credential", "owner"])
      .execute();
    await db.schema
      .createTable("leases")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("holder", "text", (column) => column.notNull())
      .addColumn("until", "bigint", (column) => column.notNull())
      .execute();
  },
};

/** Its sessions may be gone before it is: what could not be ended is still to be ended. */
async function createMinted(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("minted_credentials")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("credential", "text", (column) => column.notNull())
    .addColumn("owner", "text", (column) => column.notNull())
    .addColumn("session", "text", (column) => column.notNull())
    .addColumn("server", "text", (column) => column.notNull())
    .addColumn("basis", "text", (column) => column.notNull())
    .addColumn("secret_version", "integer")
    .addColumn("digest", "text", (column) => column.notNull())
    .addColumn("sealed", "text")
    .addColumn("sealed_ticket", "text")
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint")
    .addColumn("ended_at", "bigint")
    .addColumn("attempts", "integer", (column) => column.notNull().defaultTo(0))
    .addColumn("next_attempt_at", "bigint")
    .addColumn("failure", "text")
    .execute();
  await db.schema
    .createIndex("minted_credentials_active")
    .unique()
    .on("minted_credentials")
    .columns(["credential", "owner", "session", "server"])
    .where(sql.ref("state"), "=", sql.lit("active"))
    .execute();
  await db.schema
    .createIndex("minted_credentials_session")
    .on("minted_credentials")
    .columns(["session", "state"])
    .execute();
  await db.schema
    .createIndex("minted_credentials_attempts")
    .on("minted_credentials")
    .columns(["state", "next_attempt_at"])
    .execute();
  await db.schema
    .createIndex("minted_credentials_expiry")
    .on("minted_credentials")
    .columns(["state", "expires_at"])
    .execute();
}
