/**
 * Minted credentials as they are stored: asked for, presented, to be ended, over. Each step is one conditional update or
 * part of a transaction, so that whichever broker takes it, it is taken once.
 */
import type { MintedCredentialRow } from "./credential-tables.ts";
import type { Queries } from "../schema.ts";

/** What is presented to one server for one owner, in one session or in all of them. */
export type MintedPlace = Pick<MintedCredentialRow, "credential" | "owner" | "session" | "server">;

export async function findActive(db: Queries, place: MintedPlace): Promise<MintedCredentialRow | undefined> {
  return inPlace(db, place).where("state", "=", "active").executeTakeFirst();
}

/** Undefined: it is known no more. */
export async function findMinted(db: Queries, id: string): Promise<MintedCredentialRow | undefined> {
  return db.selectFrom("minted_credentials").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Whether something was asked for here whose answer was never stored, since then. */
export async function hasLostAnswer(db: Queries, place: MintedPlace, since: number): Promise<boolean> {
  const lost = await inPlace(db, place)
    .where("digest", "=", "")
    .where("created_at", ">=", since)
    .limit(1)
    .execute();
  return lost.length > 0;
}

function inPlace(db: Queries, { credential, owner, session, server }: MintedPlace) {
  return db
    .selectFrom("minted_credentials")
    .selectAll()
    .where("credential", "=", credential)
    .where("owner", "=", owner)
    .where("session", "=", session)
    .where("server", "=", server);
}

export type AskedCredential = MintedPlace & Pick<MintedCredentialRow, "id" | "basis" | "created_at">;

/** The intent, before anybody is asked. */
export async function addAsked(db: Queries, asked: AskedCredential): Promise<void> {
  await db
    .insertInto("minted_credentials")
    .values({
      ...asked,
      ...{ secret_version: null, digest: "", sealed: null, sealed_ticket: null, state: "asked" },
      ...{ expires_at: null, ended_at: null, attempts: 0, next_attempt_at: null, failure: null },
    })
    .execute();
}

/** Nothing was given out. */
export async function dropAsked(db: Queries, id: string): Promise<void> {
  await db.deleteFrom("minted_credentials").where("id", "=", id).where("state", "=", "asked").execute();
}

export type StoredAnswer = Pick<
  MintedCredentialRow,
  "id" | "digest" | "secret_version" | "sealed" | "sealed_ticket" | "expires_at"
>;

/** In a transaction, after the one before was retired. */
export async function activate(db: Queries, { id, ...answer }: StoredAnswer): Promise<void> {
  await db
    .updateTable("minted_credentials")
    .set({ ...answer, state: "active" })
    .where("id", "=", id)
    .execute();
}

/** It came when nobody wants it any more: it is never presented, and ended from then on where its issuer can. */
export async function storeUnwanted(
  db: Queries,
  answer: Omit<StoredAnswer, "sealed">,
  from: number,
): Promise<void> {
  const { id, digest, secret_version, sealed_ticket, expires_at } = answer;
  const kept = { digest, secret_version, sealed_ticket, expires_at };
  await db
    .updateTable("minted_credentials")
    .set(
      sealed_ticket === null
        ? { ...kept, state: "lapsing" }
        : { ...kept, state: "ending", next_attempt_at: from },
    )
    .where("id", "=", id)
    .execute();
}

export interface Retirement {
  /** From when it is ended at its issuer, where that is possible. */
  readonly from: number;
  /** False: it is left to run out. */
  readonly ends: boolean;
}

/** Presented to nobody from now on. False: it was not active. */
export async function retire(db: Queries, id: string, retirement: Retirement): Promise<boolean> {
  const { numUpdatedRows } = await retireActive(db, retirement)
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** What sessions of the owner have each for themselves. Returns how many there were. */
export async function retireOfSessions(
  db: Queries,
  { credential, owner }: Pick<MintedPlace, "credential" | "owner">,
  from: number,
): Promise<number> {
  const { numUpdatedRows } = await retireActive(db, { from, ends: true })
    .where("session", "<>", "")
    .where("credential", "=", credential)
    .where("owner", "=", owner)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

function retireActive(db: Queries, { from, ends }: Retirement) {
  if (!ends) {
    const lapsing = { sealed: null, sealed_ticket: null, state: "lapsing" as const };
    return db.updateTable("minted_credentials").set(lapsing).where("state", "=", "active");
  }
  return db
    .updateTable("minted_credentials")
    .set((row) => {
      const isEndless = row("sealed_ticket", "is", null);
      return {
        sealed: null,
        state: row
          .case()
          .when(isEndless)
          .then("lapsing" as const)
          .else("ending" as const)
          .end(),
        next_attempt_at: row.case().when(isEndless).then(null).else(from).end(),
      };
    })
    .where("state", "=", "active");
}

/** Those that serve all sessions of the owner. */
export async function listPresented(
  db: Queries,
  { credential, owner }: Pick<MintedPlace, "credential" | "owner">,
): Promise<MintedCredentialRow[]> {
  return db
    .selectFrom("minted_credentials")
    .selectAll()
    .where("state", "=", "active")
    .where("session", "=", "")
    .where("credential", "=", credential)
    .where("owner", "=", owner)
    .execute();
}

/** Those that serve all sessions of their owner and are to be renewed: the first to expire first. */
export async function listExpiring(
  db: Queries,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<MintedCredentialRow[]> {
  return db
    .selectFrom("minted_credentials")
    .selectAll()
    .where("state", "=", "active")
    .where("session", "=", "")
    .where("expires_at", "<=", before)
    .orderBy("expires_at")
    .limit(limit)
    .execute();
}

/** The first to be made first. */
export async function listOfSession(db: Queries, session: string): Promise<MintedCredentialRow[]> {
  return db
    .selectFrom("minted_credentials")
    .selectAll()
    .where("session", "=", session)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

export interface CredentialExpiry {
  readonly credential: string;
  readonly owner: string;
  readonly expiresAt: number;
}

/** Of those that serve all sessions of their owner. */
export async function listExpiries(db: Queries): Promise<CredentialExpiry[]> {
  const rows = await db
    .selectFrom("minted_credentials")
    .select((row) => ["credential", "owner", row.fn.min("expires_at").as("expires_at")])
    .where("state", "=", "active")
    .where("session", "=", "")
    .groupBy(["credential", "owner"])
    .execute();
  return rows.flatMap(({ credential, owner, expires_at }) =>
    expires_at === null ? [] : [{ credential, owner, expiresAt: Number(expires_at) }],
  );
}
