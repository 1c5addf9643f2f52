/**
 * The database as a command uses it: opened as `lanyard serve` would, closed again whatever happens. What an operator
 * can mend about it is one sentence that names the variable; anything else is a bug and keeps its stack.
 */
import { readDatabaseConfig } from "../config.ts";
import { SealingKeyUnusable } from "../keys/sealing-key.ts";
import { DatabaseUnusable, openDatabase } from "../storage/database.ts";
import type { Queries } from "../storage/schema.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export async function withDatabase(
  terminal: Terminal,
  action: (database: Queries) => Promise<ExitCode>,
): Promise<void> {
  const read = readDatabaseConfig();
  if (!read.ok) {
    for (const { variable, message } of read.problems) terminal.writeError(`${variable}: ${message}\n`);
    return terminal.exit(2);
  }
  try {
    const database = await openDatabase(read.database);
    try {
      terminal.exit(await action(database));
    } finally {
      await database.destroy();
    }
  } catch (error) {
    const isKey = error instanceof SealingKeyUnusable;
    if (!isKey && !(error instanceof DatabaseUnusable)) throw error;
    terminal.writeError(`${isKey ? "LANYARD_KEYS" : "LANYARD_DATABASE"}: ${error.message}\n`);
    terminal.exit(1);
  }
}
