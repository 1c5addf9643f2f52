/** How each credential fares, of each owner: what people look at, and no request depends on. */
import type { CredentialHealthRow } from "./credential-tables.ts";
import type { Queries } from "../schema.ts";

export type CredentialOwner = Pick<CredentialHealthRow, "credential" | "owner">;

export interface CredentialFailure {
  readonly code: NonNullable<CredentialHealthRow["failure_code"]>;
  /** Holds no secret. */
  readonly sentence: string;
  readonly at: number;
}

const UNKNOWN = {
  ...{ last_used_at: null, last_good_at: null },
  ...{ failing_since: null, failure_code: null, failure: null },
};

export async function noteGood(db: Queries, of: CredentialOwner, at: number): Promise<void> {
  const good = { last_good_at: at, failing_since: null, failure_code: null, failure: null };
  await keep(db, of, good);
}

export async function noteUsed(db: Queries, of: CredentialOwner, at: number): Promise<void> {
  await keep(db, of, { last_used_at: at });
}

/** It is failing since the first of them. */
export async function noteFailing(
  db: Queries,
  { credential, owner }: CredentialOwner,
  { code, sentence, at }: CredentialFailure,
): Promise<void> {
  const failed = { failure_code: code, failure: sentence };
  await db
    .insertInto("credential_health")
    .values({ ...UNKNOWN, credential, owner, failing_since: at, ...failed })
    .onConflict((conflict) =>
      conflict.columns(["credential", "owner"]).doUpdateSet((row) => ({
        ...failed,
        failing_since: row.fn.coalesce("credential_health.failing_since", row.val(at)),
      })),
    )
    .execute();
}

export async function listHealth(db: Queries): Promise<CredentialHealthRow[]> {
  return db.selectFrom("credential_health").selectAll().orderBy("credential").orderBy("owner").execute();
}

/** The first to fail first. */
export async function listFailing(db: Queries): Promise<CredentialHealthRow[]> {
  return db
    .selectFrom("credential_health")
    .selectAll()
    .where("failing_since", "is not", null)
    .orderBy("failing_since")
    .execute();
}

/** Nothing is known against it any more. */
export async function clearFailing(db: Queries, { credential, owner }: CredentialOwner): Promise<void> {
  await db
    .updateTable("credential_health")
    .set({ failing_since: null, failure_code: null, failure: null })
    .where("credential", "=", credential)
    .where("owner", "=", owner)
    .execute();
}

async function keep(
  db: Queries,
  { credential, owner }: CredentialOwner,
  known: Partial<CredentialHealthRow>,
): Promise<void> {
  await db
    .insertInto("credential_health")
    .values({ ...UNKNOWN, credential, owner, ...known })
    .onConflict((conflict) => conflict.columns(["credential", "owner"]).doUpdateSet(known))
    .execute();
}
