/**
 * Transactions that hold on every database: SQLite has one writer at a time, PostgreSQL many, which see each other's
 * rows as soon as they are committed. What is read to decide on is locked first there.
 */
import { PostgresAdapter } from "kysely";
import type { Queries, SessionRow } from "./schema.ts";
import { TransactionsCollided } from "./unavailable.ts";

/** Collisions are rare: rows are written in one order everywhere. */
const MAX_TRIES = 4;

/** Both or neither, tried again when it collided with another one. Within one that is under way it is part of that. */
export async function inTransaction<T>(db: Queries, work: (db: Queries) => Promise<T>): Promise<T> {
  if (db.isTransaction) return work(db);
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (!(error instanceof TransactionsCollided) || tries === MAX_TRIES) throw error;
    }
  }
}

/** Transactions run side by side, on several connections. */
export function runsSideBySide(db: Queries): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** In a transaction: nobody else changes this session, its segments or its end before it is over. */
export async function lockSession(db: Queries, id: string): Promise<SessionRow | undefined> {
  return db
    .selectFrom("sessions")
    .selectAll()
    .where("id", "=", id)
    .$if(runsSideBySide(db), (query) => query.forNoKeyUpdate())
    .executeTakeFirst();
}
