/**
 * DPoP proofs that this process has seen within their half minute: none of them is accepted here again.
 * Another replica does not know them; what must hold everywhere (the exchange) is remembered in the database.
 */
import { type Refused, refuse } from "../refusals.ts";
import type { Proof } from "./dpop-proof.ts";

/** Far more than honest proxies send in a minute. */
const MAX_PROOFS = 200_000;

export interface RecentProofs {
  /** Undefined: it was not seen before. */
  remember(proof: Proof): Refused | undefined;
}

export function createRecentProofs(now: () => number): RecentProofs {
  // In order of arrival, so roughly in order of expiry.
  const expiries = new Map<string, number>();
  return {
    remember({ thumbprint, jti, expiresAt }) {
      for (const [name, expiry] of expiries) {
        if (expiry > now()) break;
        expiries.delete(name);
      }
      const name = `${thumbprint} ${jti}`;
      if (expiries.has(name)) {
        return refuse("proof_replayed", "this process has seen it before");
      }
      if (expiries.size >= MAX_PROOFS) {
        return refuse("proof_invalid", "too many proofs within half a minute");
      }
      expiries.set(name, expiresAt);
      return undefined;
    },
  };
}
