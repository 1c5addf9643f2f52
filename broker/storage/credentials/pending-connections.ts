/** Connections that were begun: each is answered once, by whoever has its state, and read once, by whoever began it. */
import type { PendingConnectionRow } from "./credential-tables.ts";
import type { Queries } from "../schema.ts";

export async function addPendingConnection(
  db: Queries,
  row: Omit<PendingConnectionRow, "sealed_answer">,
): Promise<void> {
  await db
    .insertInto("pending_connections")
    .values({ ...row, sealed_answer: null })
    .execute();
}

/** Undefined: there is none, it was answered, or it is too old. */
export async function findUnanswered(
  db: Queries,
  { stateHash, now }: { readonly stateHash: string; readonly now: number },
): Promise<PendingConnectionRow | undefined> {
  return db
    .selectFrom("pending_connections")
    .selectAll()
    .where("state_hash", "=", stateHash)
    .where("sealed_answer", "is", null)
    .where("expires_at", ">", now)
    .executeTakeFirst();
}

/** False: somebody else answered it a moment ago. */
export async function answerPending(db: Queries, id: string, sealedAnswer: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("pending_connections")
    .set({ sealed_answer: sealedAnswer })
    .where("id", "=", id)
    .where("sealed_answer", "is", null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

export async function findAnswer(db: Queries, id: string): Promise<string | null> {
  const row = await db
    .selectFrom("pending_connections")
    .select("sealed_answer")
    .where("id", "=", id)
    .executeTakeFirst();
  return row?.sealed_answer ?? null;
}

/** They are few: each is a command that somebody typed. */
export async function forgetPendingConnections(db: Queries, now: number): Promise<void> {
  await db.deleteFrom("pending_connections").where("expires_at", "<=", now).execute();
}

export async function dropPendingConnection(db: Queries, id: string): Promise<void> {
  await db.deleteFrom("pending_connections").where("id", "=", id).execute();
}
