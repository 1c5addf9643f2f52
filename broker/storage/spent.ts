/**
 * What may be presented once: subject tokens by issuer and `jti`, DPoP proofs by key and `jti`.
 * Whoever presents the same one at the same time, on whatever replica, exactly one is told `true`; in a list, the first.
 */
import { createHash } from "node:crypto";
import type { Queries } from "./schema.ts";
import { inWritingOrder } from "./writing-order.ts";

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

interface TokenKey {
  readonly iss: string;
  readonly jti: string;
}

interface ProofKey {
  readonly thumbprint: string;
  readonly jti: string;
}

const tokenKeyOf = ({ iss, jti }: TokenKey): string => `${jti} ${iss}`;
const proofKeyOf = ({ thumbprint, jti }: ProofKey): string => `${jti} ${thumbprint}`;

export async function spendTokens(db: Queries, tokens: readonly SpendableToken[]): Promise<boolean[]> {
  if (tokens.length === 0) return [];
  const rows = tokens.map(({ iss, jti, expiresAt }) => ({ iss, jti: digestOf(jti), expires_at: expiresAt }));
  const fresh = await db
    .insertInto("used_tokens")
    .values(inWritingOrder(rows, tokenKeyOf))
    .onConflict((conflict) => conflict.columns(["iss", "jti"]).doNothing())
    .returning(["iss", "jti"])
    .execute();
  const unclaimed = new Set(fresh.map(tokenKeyOf));
  return rows.map((row) => unclaimed.delete(tokenKeyOf(row)));
}

export async function spendProofs(db: Queries, proofs: readonly SpendableProof[]): Promise<boolean[]> {
  if (proofs.length === 0) return [];
  const rows = proofs.map(({ thumbprint, jti, expiresAt }) => ({
    thumbprint,
    jti: digestOf(jti),
    expires_at: expiresAt,
  }));
  const fresh = await db
    .insertInto("used_proofs")
    .values(inWritingOrder(rows, proofKeyOf))
    .onConflict((conflict) => conflict.columns(["thumbprint", "jti"]).doNothing())
    .returning(["thumbprint", "jti"])
    .execute();
  const unclaimed = new Set(fresh.map(proofKeyOf));
  return rows.map((row) => unclaimed.delete(proofKeyOf(row)));
}

export async function spendToken(db: Queries, token: SpendableToken): Promise<boolean> {
  const [fresh = false] = await spendTokens(db, [token]);
  return fresh;
}

/** A `jti` is whatever its maker wrote, NUL and unpaired surrogates included, which not every database stores. */
function digestOf(jti: string): string {
  return createHash("sha256").update(JSON.stringify(jti)).digest("base64url");
}
