/**
 * The broker's database: opened, brought to the newest tables, closed.
 * A database that a newer Lanyard has changed is refused and left as it is.
 */
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import type { BrokerConfig } from "../config.ts";
import { migrations } from "./migrations/all.ts";
import type { Database, Queries } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";

export class DatabaseUnusable extends Error {
  readonly code = "database_unusable";
}

/** Throws `DatabaseUnusable` with what to change. The caller ends it with `database.destroy()`. */
export async function openDatabase(config: BrokerConfig["database"]): Promise<Queries> {
  let database: Queries;
  try {
    database = new Kysely<Database>({ dialect: openSqlite(config.path) });
  } catch (cause) {
    throw new DatabaseUnusable(`cannot open ${config.path}: ${messageOf(cause)}`, { cause });
  }
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    await database.destroy();
    throw new DatabaseUnusable(`cannot prepare ${config.path}: ${messageOf(error)}`, { cause: error });
  }
  return database;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
