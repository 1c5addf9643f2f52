/**
 * Fixed statements over the rows of many requests: each is defined once, compiled once for every database when the
 * process starts, and run with however many rows there are, so that neither Kysely nor a database plans it anew.
 */
import {
  type Compilable,
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCreator,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import { type Column, type Shape, type Table, selectGiven, valuesGiven } from "./given-rows.ts";
import type { Database, Queries } from "../schema.ts";
import { runsSideBySide } from "../transactions.ts";

/** For either database; their rows are still to be filled in. */
interface Statement<Row> {
  readonly sqlite: CompiledQuery<Row>;
  readonly postgres: CompiledQuery<Row>;
}

/** Adds or changes one row at most for each that is given. On PostgreSQL it returns the key of those. */
export interface Write<Given> extends Statement<object> {
  readonly key: readonly (keyof Given & string)[];
}

export interface Read<Given, Row> extends Statement<Row> {
  /** Of the types only. */
  readonly finds?: (given: Given) => Row;
}

/** Runs statements, in a transaction: of one that was begun later, nothing happens before those begun earlier. */
export interface Runner {
  /** Whether each of the rows was written, in their order; of several with one key, the first. */
  write<Given extends object>(statement: Write<Given>, rows: readonly Given[]): Promise<boolean[]>;
  /** What was found for all of the rows together, in no order. */
  read<Given extends object, Row>(statement: Read<Given, Row>, rows: readonly Given[]): Promise<Row[]>;
}

/** What a definition is written with; `given` is the table of the rows. */
interface Target<Given> {
  readonly db: QueryCreator<Database & { given: Given }>;
  /** What is read to decide on is locked first. */
  readonly sideBySide: boolean;
}

export function defineRead<T extends Table, C extends Column<T>, Row>(
  shape: Shape<T, C>,
  define: (target: Target<Pick<Database[T], C>>) => Compilable<Row>,
): Read<Pick<Database[T], C>, Row> {
  return compileForBoth((db) => define(targetOf(db, shape)).compile());
}

export function defineWrite<T extends Table, C extends Column<T>>(
  { key, ...shape }: Shape<T, C> & { readonly key: readonly C[] },
  define: (target: Target<Pick<Database[T], C>>) => Compilable<object>,
): Write<Pick<Database[T], C>> {
  return { ...compileForBoth((db) => define(targetOf(db, shape)).compile()), key };
}

/** Adds the rows whose key is not in the table. */
export function defineInsert<T extends Table, C extends Column<T>>({
  table,
  columns,
  key,
}: Shape<T, C> & { readonly key: readonly C[] }): Write<Pick<Database[T], C>> {
  const list = (names: readonly string[]) => sql.join(names.map((name) => sql.ref(name)));
  const compiled = compileForBoth((db) =>
    sql<object>`insert into ${sql.table(table)} (${list(columns)}) ${valuesGiven(db, { table, columns })} on conflict (${list(key)}) do nothing ${
      runsSideBySide(db) ? sql`returning ${list(key)}` : sql``
    }`.compile(db),
  );
  return { ...compiled, key };
}

const sqliteCompiler: Queries = new Kysely<Database>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});
const postgresCompiler: Queries = new Kysely<Database>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/** By their text: the names under which PostgreSQL keeps their plans. */
const names = new Map<string, string>();

function compileForBoth<Row>(compile: (db: Queries) => CompiledQuery<Row>): Statement<Row> {
  const [sqlite, postgres] = [compile(sqliteCompiler), compile(postgresCompiler)];
  names.set(postgres.sql, `lanyard_${names.size}`);
  return { sqlite, postgres };
}

/** Undefined: it is not one of the fixed ones. */
export function nameOfStatement(text: string): string | undefined {
  return names.get(text);
}

function targetOf<T extends Table, C extends Column<T>>(
  db: Queries,
  shape: Shape<T, C>,
): Target<Pick<Database[T], C>> {
  return {
    db: db.with("given", () => sql<Pick<Database[T], C>>`(${selectGiven(db, shape)})`),
    sideBySide: runsSideBySide(db),
  };
}
