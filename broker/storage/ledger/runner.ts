/** Runs fixed statements through Kysely: on PostgreSQL one round trip each, on SQLite one for every row. */
import { fillRow, fillRows } from "./given-rows.ts";
import type { Queries } from "../schema.ts";
import type { Read, Runner, Write } from "./statements.ts";
import { runsSideBySide } from "../transactions.ts";

export function runnerOf(db: Queries): Runner {
  return runsSideBySide(db) ? runTogether(db) : runOneByOne(db);
}

function runTogether(db: Queries): Runner {
  return {
    async write<Given extends object>({ postgres, key }: Write<Given>, rows: readonly Given[]) {
      if (rows.length === 0) return [];
      const keyOf = (row: object): string => key.map((column) => String(Reflect.get(row, column))).join(" ");
      const keyed = rows.map((row) => ({ row, key: keyOf(row) }));
      // In the same order in every transaction of every replica: of two that write the same keys one waits for the
      // other, and neither is in the other's way.
      const ordered = keyed.toSorted((left, right) =>
        left.key === right.key ? 0 : left.key < right.key ? -1 : 1,
      );
      const query = fillRows(
        postgres,
        ordered.map(({ row }) => row),
      );
      const written = new Set((await db.executeQuery(query)).rows.map(keyOf));
      return keyed.map((each) => written.delete(each.key));
    },
    async read<Given extends object, Row>({ postgres }: Read<Given, Row>, rows: readonly Given[]) {
      return rows.length === 0 ? [] : (await db.executeQuery(fillRows(postgres, rows))).rows;
    },
  };
}

function runOneByOne(db: Queries): Runner {
  return {
    async write<Given extends object>({ sqlite }: Write<Given>, rows: readonly Given[]) {
      const written: boolean[] = [];
      for (const row of rows) {
        const { numAffectedRows } = await db.executeQuery(fillRow(sqlite, row));
        written.push(numAffectedRows === 1n);
      }
      return written;
    },
    async read<Given extends object, Row>({ sqlite }: Read<Given, Row>, rows: readonly Given[]) {
      const found: Row[] = [];
      for (const row of rows) found.push(...(await db.executeQuery(fillRow(sqlite, row))).rows);
      return found;
    },
  };
}
