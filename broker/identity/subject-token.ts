/**
 * Verification of a subject token: who is this job? In a fixed order, cheapest and least trusting first;
 * nothing is fetched before the issuer was found in the configured list. That a token is used once is checked last,
 * by whoever uses it.
 */
import type { Workload } from "../../audit/record.ts";
import type { Claims } from "../../policies/claims.ts";
import type { Refused } from "../refusals.ts";
import type { Resolve } from "../egress/address-guard.ts";
import type { RequestTls } from "../egress/guarded-request.ts";
import { type IssuerKeys, type StaleKeys, createIssuerKeys } from "./issuer-keys.ts";
import { refuseMember } from "./member-refusal.ts";
import { type PublishedKeys, fetchPublishedKeys } from "./published-keys.ts";
import { checkAudience, checkTimes, readClaims } from "./token-claims.ts";
import { type TokenForm, parseTokenForm } from "./token-form.ts";
import { checkAlgorithm, checkSignature, checkType, findKey } from "./token-signature.ts";

/** The order, as the documentation has it: a token with several faults is refused for the one that comes first. */
export const VERIFICATION_ORDER = [
  "form",
  "issuer",
  "algorithm",
  "key",
  "signature",
  "type",
  "audience",
  "time",
  "claims",
] as const;

export interface VerifiedSubject {
  readonly ok: true;
  readonly claims: Claims;
  readonly workload: Workload;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface SubjectTokens {
  verify(token: string): Promise<VerifiedSubject | Refused>;
}

export interface SubjectTokenOptions {
  /** Exactly as `iss` says them. */
  readonly issuers: readonly string[];
  /** Those whose servers are in the operator's own network. */
  readonly privateIssuers?: readonly string[];
  /** What `aud` must be, exactly. */
  readonly audience: string;
  /** By default the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** By default Node's own; for tests. */
  readonly requestTls?: RequestTls | undefined;
  /** Told of every fetch of an issuer's keys: for metrics. */
  readonly onKeysFetched?: ((issuer: string, outcome: "fetched" | "failed") => void) | undefined;
  /** Told when an issuer's keys are old and could not be fetched again: for the log. */
  readonly onStaleKeys?: ((issuer: string, stale: StaleKeys) => void) | undefined;
  readonly now: () => number;
}

export function createSubjectTokens(options: SubjectTokenOptions): SubjectTokens {
  const {
    issuers,
    privateIssuers = [],
    audience,
    resolve,
    requestTls,
    onKeysFetched,
    onStaleKeys,
    now,
  } = options;
  const access = { privateIssuers, resolve, requestTls };
  const fetchKeys = async (issuer: string): Promise<PublishedKeys> => {
    let outcome: "fetched" | "failed" = "failed";
    try {
      const keys = await fetchPublishedKeys(issuer, access);
      outcome = "fetched";
      return keys;
    } finally {
      onKeysFetched?.(issuer, outcome);
    }
  };
  const keysByIssuer = new Map(
    issuers.map((issuer) => [
      issuer,
      createIssuerKeys({
        fetchKeys: () => fetchKeys(issuer),
        onStale: (stale) => onStaleKeys?.(issuer, stale),
        now,
      }),
    ]),
  );
  return {
    async verify(token) {
      const form = parseTokenForm(token);
      if (!form.ok) return form;
      const { header, payload } = form;
      const issuer = findIssuer(payload, keysByIssuer);
      if (!issuer.ok) return issuer;
      const chosen = checkAlgorithm(header);
      if (!chosen.ok) return chosen;
      const key = await findKey(header, chosen.algorithm, issuer.keys);
      if (!key.ok) return key;
      const signature = await checkSignature(token, key);
      if (!signature.ok) return signature;
      const type = checkType(header);
      if (!type.ok) return type;
      const meant = checkAudience(payload, audience);
      if (!meant.ok) return meant;
      const times = checkTimes(payload, now());
      if (!times.ok) return times;
      const read = readClaims(payload);
      if (!read.ok) return read;
      const { expiresAt } = times;
      return { ...read, expiresAt };
    },
  };
}

type FoundIssuer = { readonly ok: true; readonly keys: IssuerKeys };

/** Compared as text: another spelling is another issuer. */
export function findIssuer(
  { iss }: TokenForm["payload"],
  keysByIssuer: ReadonlyMap<string, IssuerKeys>,
): FoundIssuer | Refused {
  const keys = typeof iss === "string" ? keysByIssuer.get(iss) : undefined;
  if (keys !== undefined) return { ok: true, keys };
  return refuseMember("issuer_unknown", "iss", { expected: [...keysByIssuer.keys()].join(" or "), got: iss });
}
