/**
 * What may be presented once: subject tokens by issuer and `jti`, DPoP proofs by key and `jti`, and answers to what a
 * relayed server asked, by session and call (among the proofs: no thumbprint of a key reads like that of a session).
 * Whoever presents the same one at the same time, on whatever replica, exactly one is told `true`; in a list, the first.
 */
import { hash } from "node:crypto";
import { runnerOf } from "./runner.ts";
import type { Queries } from "../schema.ts";
import { type Runner, defineInsert } from "./statements.ts";

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

const SPEND_TOKEN = defineInsert({
  table: "used_tokens",
  columns: ["iss", "jti", "expires_at"],
  key: ["iss", "jti"],
});
const SPEND_PROOF = defineInsert({
  table: "used_proofs",
  columns: ["thumbprint", "jti", "expires_at"],
  key: ["thumbprint", "jti"],
});

export async function spendTokens(runner: Runner, tokens: readonly SpendableToken[]): Promise<boolean[]> {
  const rows = tokens.map(({ iss, jti, expiresAt }) => ({ iss, jti: digestOf(jti), expires_at: expiresAt }));
  return runner.write(SPEND_TOKEN, rows);
}

export async function spendProofs(runner: Runner, proofs: readonly SpendableProof[]): Promise<boolean[]> {
  const rows = proofs.map(({ thumbprint, jti, expiresAt }) => ({
    thumbprint,
    jti: digestOf(jti),
    expires_at: expiresAt,
  }));
  return runner.write(SPEND_PROOF, rows);
}

export async function spendToken(db: Queries, token: SpendableToken): Promise<boolean> {
  const [fresh = false] = await spendTokens(runnerOf(db), [token]);
  return fresh;
}

export interface SpendableAnswer {
  readonly session: string;
  readonly call: string;
  readonly expiresAt: number;
}

export async function spendAnswers(runner: Runner, answers: readonly SpendableAnswer[]): Promise<boolean[]> {
  const proofs = answers.map(({ session, call, expiresAt }) => ({
    ...{ thumbprint: `answers ${session}`, jti: call, expiresAt },
  }));
  return spendProofs(runner, proofs);
}

/** A `jti` is whatever its maker wrote, NUL and unpaired surrogates included, which not every database stores. */
function digestOf(jti: string): string {
  return hash("sha256", JSON.stringify(jti), "base64url");
}
