/** Runs fixed statements where the SQLite file is held: each row by itself, which costs least without a way in between. */
import type { SQLInputValue } from "node:sqlite";
import type { CompiledQuery } from "kysely";
import { parametersOf } from "../ledger/given-rows.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import { toSqlValue } from "./sqlite-value.ts";
import type { Read, Runner, Write } from "../ledger/statements.ts";

/** In a transaction that was begun. */
export function runnerOn(file: SqliteFile): Runner {
  return {
    async write<Given extends object>({ sqlite }: Write<Given>, rows: readonly Given[]) {
      if (rows.length === 0) return [];
      return file.write(sqlite.sql, listParameters(sqlite, rows)).map((changes) => changes === 1);
    },
    async read<Given extends object, Row>({ sqlite }: Read<Given, Row>, rows: readonly Given[]) {
      // The rows are what the statement's type says: it was compiled from it.
      return rows.length === 0 ? [] : (file.read(sqlite.sql, listParameters(sqlite, rows)) as Row[]);
    },
  };
}

function listParameters(statement: CompiledQuery, rows: readonly object[]): SQLInputValue[][] {
  return rows.map((row) => parametersOf(statement, row).map(toSqlValue));
}
