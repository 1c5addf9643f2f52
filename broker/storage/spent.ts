/**
 * What may be presented once: subject tokens by issuer and `jti`, DPoP proofs by key and `jti`.
 * Whoever presents the same one at the same time, on whatever replica, exactly one is told `true`.
 */
import type { Queries } from "./schema.ts";

/** `expiresAt` (milliseconds) is when the token is refused for its age anyway. */
export interface SpendableToken {
  readonly iss: string;
  readonly jti: string;
  readonly expiresAt: number;
}

export interface SpendableProof {
  readonly thumbprint: string;
  readonly jti: string;
  readonly expiresAt: number;
}

export async function spendToken(db: Queries, { iss, jti, expiresAt }: SpendableToken): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("used_tokens")
    .values({ iss, jti, expires_at: expiresAt })
    .onConflict((conflict) => conflict.columns(["iss", "jti"]).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function spendProof(
  db: Queries,
  { thumbprint, jti, expiresAt }: SpendableProof,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("used_proofs")
    .values({ thumbprint, jti, expires_at: expiresAt })
    .onConflict((conflict) => conflict.columns(["thumbprint", "jti"]).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/** Forgets what is refused for its age by now. */
export async function forgetSpent(db: Queries, now: number): Promise<void> {
  await db.deleteFrom("used_tokens").where("expires_at", "<", now).execute();
  await db.deleteFrom("used_proofs").where("expires_at", "<", now).execute();
}
