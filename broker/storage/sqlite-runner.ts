/** Runs fixed statements where the SQLite file is held: each row by itself, which costs least without a way in between. */
import { parametersOf } from "./given-rows.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import { toSqlValue } from "./sqlite-value.ts";
import type { Read, Runner, Write } from "./statements.ts";

/** In a transaction that was begun. */
export function runnerOn(file: SqliteFile): Runner {
  return {
    async write<Given extends object>({ sqlite }: Write<Given>, rows: readonly Given[]) {
      return rows.map((row) => file.write(sqlite.sql, parametersOf(sqlite, row).map(toSqlValue)) === 1);
    },
    async read<Given extends object, Row>({ sqlite }: Read<Given, Row>, rows: readonly Given[]) {
      // The rows are what the statement's type says: it was compiled from it.
      return rows.flatMap((row) => file.read(sqlite.sql, parametersOf(sqlite, row).map(toSqlValue)) as Row[]);
    },
  };
}
