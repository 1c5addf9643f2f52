/**
 * Tables that are made anew on SQLite, which cannot drop a constraint: their rows are kept under another name meanwhile.
 * What refers to a table has to be set aside before it, and is put back after it.
 */
import { type Kysely, sql } from "kysely";

/** Unknown to the types of a migration, which stay as they are when those of the tables change. */
export type Tables = Kysely<Record<string, Record<string, string>>>;

const keptName = (table: string): string => `${table}_kept`;

/** Its rows, without its constraints and indexes. */
export async function setAside(db: Tables, table: string): Promise<void> {
  await sql`create table ${sql.table(keptName(table))} as select * from ${sql.table(table)}`.execute(db);
  await db.schema.dropTable(table).execute();
}

/** Into the new table of that name, whose columns are in the same order. */
export async function putBack(db: Tables, table: string): Promise<void> {
  await sql`insert into ${sql.table(table)} select * from ${sql.table(keptName(table))}`.execute(db);
  await db.schema.dropTable(keptName(table)).execute();
}
