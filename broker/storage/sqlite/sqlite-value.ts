/** What SQLite stores as it is. */
import type { SQLInputValue } from "node:sqlite";

/** Throws a `TypeError` for anything else: a bug. */
export function toSqlValue(value: unknown): SQLInputValue {
  if (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "bigint" ||
    value instanceof Uint8Array
  ) {
    return value;
  }
  throw new TypeError(`a query was given a ${typeof value}, which SQLite cannot store`);
}
