/**
 * The broker's database: opened, brought to the newest tables, closed.
 * However many brokers start at once, one of them prepares it. A database that a newer Lanyard has changed is refused
 * and left as it is.
 */
import { type Dialect, Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import type { BrokerConfig } from "../config.ts";
import { migrations } from "./migrations/all.ts";
import { openPostgres } from "./postgres/postgres.ts";
import type { Database, Queries } from "./schema.ts";
import { openSqlite } from "./sqlite/sqlite.ts";

export class DatabaseUnusable extends Error {
  readonly code = "database_unusable";
}

/** Throws `DatabaseUnusable` with what to change. The caller ends it with `database.destroy()`. */
export async function openDatabase(config: BrokerConfig["database"]): Promise<Queries> {
  return config.kind === "postgres" ? openServer(config.url) : openFile(config);
}

async function openFile({
  path,
  commitDelayMs = 0,
}: Extract<BrokerConfig["database"], { kind: "sqlite" }>): Promise<Queries> {
  let dialect: Dialect;
  try {
    dialect = await openSqlite({ path, commitDelayMs });
  } catch (cause) {
    throw new DatabaseUnusable(`cannot open ${path}: ${messageOf(cause)}`, { cause });
  }
  const database = new Kysely<Database>({ dialect });
  await prepare(database, path).catch(async (error: unknown) => {
    await database.destroy();
    throw error;
  });
  return database;
}

/** The tables are prepared over a connection of their own, which may wait for another broker that is at it. */
async function openServer(url: string): Promise<Queries> {
  const { host, pathname } = new URL(url);
  const preparing = new Kysely<Database>({ dialect: openPostgres({ url, preparing: true }) });
  try {
    await prepare(preparing, `postgres://${host}${pathname}`);
  } finally {
    await preparing.destroy();
  }
  return new Kysely<Database>({ dialect: openPostgres({ url, preparing: false }) });
}

async function prepare(database: Queries, name: string): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    throw new DatabaseUnusable(`cannot prepare ${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** Throws `DatabaseUnavailable` when a transaction could not begin now. */
export async function checkDatabase(database: Queries): Promise<void> {
  await database.transaction().execute(async (db) => sql`select 1`.execute(db));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
