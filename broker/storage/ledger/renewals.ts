/**
 * Renewals: a fresh subject token is spent and the session's expiry moved, both or neither, for many sessions in one
 * transaction. The token is spent whatever becomes of the request.
 */
import { type Prolongation, prolongSessions } from "../sessions/sessions.ts";
import { type SpendableToken, spendTokens } from "./spent.ts";
import type { Runner } from "./statements.ts";

export interface Renewal {
  readonly token: SpendableToken;
  /** Undefined: what the token says does not prolong the session. */
  readonly prolongation: Prolongation | undefined;
}

export type Renewed = "token_replayed" | "not_prolonged" | "prolonged";

/** In a transaction. The outcomes are in the order of the renewals. */
export async function renewAll(runner: Runner, renewals: readonly Renewal[]): Promise<Renewed[]> {
  const unspent = await spendTokens(
    runner,
    renewals.map(({ token }) => token),
  );
  const wanted = renewals.flatMap(({ prolongation }, index) =>
    unspent[index] === true && prolongation !== undefined ? [prolongation] : [],
  );
  const prolonged = await prolongSessions(runner, wanted);
  return renewals.map(({ prolongation }, index) => {
    if (unspent[index] !== true) return "token_replayed";
    return prolongation !== undefined && prolonged.has(prolongation.id) ? "prolonged" : "not_prolonged";
  });
}
