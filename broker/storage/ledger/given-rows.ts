/**
 * The rows that a fixed statement is run with, as a table: the one thing in which the statements of the databases differ.
 * SQLite is given one row after the other, which costs least where statements run in the process; PostgreSQL all of them
 * as one JSON text, in one round trip.
 */
import { type CompiledQuery, type RawBuilder, sql } from "kysely";
import type { Database, Queries } from "../schema.ts";
import { runsSideBySide } from "../transactions.ts";

export type Table = keyof Database;
export type Column<T extends Table> = keyof Database[T] & string;

/** Some columns of a table, and so of its types. */
export interface Shape<T extends Table, C extends Column<T>> {
  readonly table: T;
  readonly columns: readonly C[];
}

/** Where the rows go among the parameters. */
class Place {
  /** Of one row; undefined: all rows. */
  readonly column: string | undefined;

  constructor(column?: string) {
    this.column = column;
  }
}

export function selectGiven<T extends Table, C extends Column<T>>(
  db: Queries,
  { table, columns }: Shape<T, C>,
): RawBuilder<Pick<Database[T], C>> {
  if (!runsSideBySide(db)) {
    return sql`select ${sql.join(columns.map((column) => sql`${new Place(column)} as ${sql.ref(column)}`))}`;
  }
  return sql`select ${sql.join(columns.map((column) => sql.ref(column)))} from json_populate_recordset(null::${sql.table(table)}, ${new Place()}) as given_rows`;
}

/** What an INSERT takes them from. One row of values spares SQLite the copies that it would undo half of many rows with. */
export function valuesGiven<T extends Table, C extends Column<T>>(
  db: Queries,
  shape: Shape<T, C>,
): RawBuilder<unknown> {
  // The condition keeps ON from being read as the beginning of a join's.
  if (runsSideBySide(db)) return sql`${selectGiven(db, shape)} where true`;
  return sql`values (${sql.join(shape.columns.map((column) => sql`${new Place(column)}`))})`;
}

/** For SQLite. */
export function fillRow<Row>(statement: CompiledQuery<Row>, row: object): CompiledQuery<Row> {
  return { ...statement, parameters: parametersOf(statement, row) };
}

/** For SQLite. */
export function parametersOf({ parameters }: CompiledQuery, row: object): unknown[] {
  return parameters.map((parameter): unknown =>
    parameter instanceof Place ? Reflect.get(row, parameter.column ?? "") : parameter,
  );
}

/** For PostgreSQL. */
export function fillRows<Row>(statement: CompiledQuery<Row>, rows: readonly object[]): CompiledQuery<Row> {
  const parameters = statement.parameters.map((parameter) =>
    parameter instanceof Place ? JSON.stringify(rows.map(makeWellFormed)) : parameter,
  );
  return { ...statement, parameters };
}

/** JSON writes half a surrogate pair as an escape, which PostgreSQL refuses. */
function makeWellFormed(row: object): object {
  const entries = Object.entries(row);
  const isWellFormed = (value: unknown): boolean => typeof value !== "string" || value.isWellFormed();
  if (entries.every(([, value]) => isWellFormed(value))) return row;
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "string" ? value.toWellFormed() : value]),
  );
}
