/** Sealed texts, whatever table they stand in: read in the order of their keys, and replaced where nobody did before. */
import { sql } from "kysely";
import { z } from "zod";
import type { Queries } from "../schema.ts";

export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** The primary key. */
  readonly key: readonly string[];
  /** What else `purposeOf` looks at. */
  readonly others: readonly string[];
  purposeOf(row: SealedText["row"]): string;
}

const Value = z.union([z.string(), z.number()]);
const Row = z.record(z.string(), Value);

export interface SealedText {
  readonly row: z.infer<typeof Row>;
  readonly sealed: string;
}

const list = (names: readonly string[]) => sql.join(names.map((name) => sql.ref(name)));
const keyOf = ({ key }: SealedColumn, { row }: SealedText) => sql.join(key.map((name) => row[name]));

/** Those after `after`, in the order of their keys. */
export async function listSealed(
  db: Queries,
  column: SealedColumn,
  { after, limit }: { readonly after: SealedText | undefined; readonly limit: number },
): Promise<SealedText[]> {
  const { table, key, others, column: name } = column;
  const beyond = after === undefined ? sql`` : sql`and (${list(key)}) > (${keyOf(column, after)})`;
  const { rows } = await sql`
    select ${list([...key, ...others, name])} from ${sql.table(table)}
    where ${sql.ref(name)} is not null ${beyond} order by ${list(key)} limit ${limit}
  `.execute(db);
  return rows.map((each) => {
    const row = Row.parse(each);
    return { row, sealed: String(row[name]) };
  });
}

/** False: it is not what it was. */
export async function replaceSealed(
  db: Queries,
  column: SealedColumn,
  { text, sealed }: { readonly text: SealedText; readonly sealed: string },
): Promise<boolean> {
  const name = sql.ref(column.column);
  const { numAffectedRows = 0n } = await sql`
    update ${sql.table(column.table)} set ${name} = ${sealed}
    where (${list(column.key)}) = (${keyOf(column, text)}) and ${name} = ${text.sealed}
  `.execute(db);
  return numAffectedRows > 0n;
}
