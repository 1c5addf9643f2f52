/** Which database the brokers of a test file stand on: SQLite, unless the file chose another before it started one. */
import { join } from "node:path";
import type { DatabaseConfig } from "../../broker/config-values.ts";

type Choice = (directory: string) => Promise<DatabaseConfig>;

let choice: Choice = async (directory) => ({ kind: "sqlite", path: join(directory, "broker.sqlite") });

export function chooseDatabase(chosen: Choice): void {
  choice = chosen;
}

export async function createDatabase(directory: string): Promise<DatabaseConfig> {
  return choice(directory);
}

/** For what only concerns files. */
export function databaseFile(database: DatabaseConfig): string {
  if (database.kind !== "sqlite") throw new Error("the database is no file");
  return database.path;
}
