/** The first tables. A migration that was released is never edited: what changes comes as a later one. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const start: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("signing_keys")
      .addColumn("kid", "text", (column) => column.primaryKey())
      .addColumn("purpose", "text", (column) => column.notNull())
      .addColumn("serial", "integer", (column) => column.notNull())
      .addColumn("public_jwk", "text", (column) => column.notNull())
      .addColumn("sealed_private_jwk", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addUniqueConstraint("signing_keys_purpose_serial", ["purpose", "serial"])
      .execute();
    await db.schema
      .createTable("used_tokens")
      .addColumn("iss", "text", (column) => column.notNull())
      .addColumn("jti", "text", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("used_tokens_key", ["iss", "jti"])
      .execute();
    await db.schema
      .createTable("used_proofs")
      .addColumn("thumbprint", "text", (column) => column.notNull())
      .addColumn("jti", "text", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("used_proofs_key", ["thumbprint", "jti"])
      .execute();
    await db.schema.createIndex("used_tokens_expiry").on("used_tokens").column("expires_at").execute();
    await db.schema.createIndex("used_proofs_expiry").on("used_proofs").column("expires_at").execute();
    await createSessionTables(db);
    await db.schema
      .createTable("operators")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("name", "text", (column) => column.notNull().unique())
      .addColumn("token_hash", "text", (column) => column.notNull().unique())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("last_used_at", "bigint")
      .execute();
  },
};

async function createSessionTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("workloads")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("run", "text", (column) => column.notNull())
    .addColumn("iss", "text", (column) => column.notNull())
    .addColumn("repository_id", "text", (column) => column.notNull())
    .addColumn("run_id", "text", (column) => column.notNull())
    .addColumn("run_attempt", "text", (column) => column.notNull())
    .addColumn("check_run_id", "text")
    .addColumn("thumbprint", "text", (column) => column.notNull())
    .addColumn("bound_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("policies")
    .addColumn("digest", "text", (column) => column.primaryKey())
    .addColumn("source", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
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
    .addColumn("object_prefix", "text", (column) => column.notNull().unique())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("ttl_seconds", "integer", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("max_expires_at", "bigint", (column) => column.notNull())
    .addColumn("ended_at", "bigint")
    .addColumn("recovered_at", "bigint")
    .addColumn("final_segment", "integer")
    .addUniqueConstraint("sessions_workload_robot", ["workload", "robot"])
    .execute();
  await db.schema.createIndex("sessions_run").on("sessions").column("run").execute();
  await db.schema.createIndex("sessions_created").on("sessions").column("created_at").execute();
  await db.schema.createIndex("sessions_expiry").on("sessions").columns(["state", "expires_at"]).execute();
  await db.schema
    .createTable("segments")
    .addColumn("session", "text", (column) => column.notNull().references("sessions.id"))
    .addColumn("segment", "integer", (column) => column.notNull())
    .addColumn("bytes", "integer", (column) => column.notNull())
    .addColumn("sha256", "text", (column) => column.notNull())
    .addColumn("md5", "text", (column) => column.notNull())
    .addColumn("first_seq", "integer", (column) => column.notNull())
    .addColumn("last_seq", "integer", (column) => column.notNull())
    .addColumn("prev", "text", (column) => column.notNull())
    .addColumn("head", "text", (column) => column.notNull())
    .addColumn("checkpoint", "text", (column) => column.notNull())
    .addColumn("announced_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("segments_key", ["session", "segment"])
    .execute();
  await db.schema
    .createTable("findings")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("run", "text", (column) => column.notNull())
    .addColumn("workload", "text", (column) => column.notNull())
    .addColumn("session", "text")
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .addColumn("time", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("findings_run").on("findings").column("run").execute();
}
