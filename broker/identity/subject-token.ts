/**
 * Verification of a subject token: who is this job? In a fixed order, cheapest and least trusting first;
 * nothing is fetched before the issuer was found in the configured list. That a token is used once is checked last,
 * by whoever uses it.
 */
import { type CryptoKey, compactVerify, importJWK } from "jose";
import { z } from "zod";
import type { Workload } from "../../audit/record.ts";
import { Claims } from "../../policies/claims.ts";
import { type Refused, refuse } from "../refusals.ts";
import { FetchFailed } from "./fetched-document.ts";
import { type IssuerKeys, type PublicJwk, createIssuerKeys } from "./issuer-keys.ts";
import { parseTokenForm } from "./token-form.ts";

const KEY_TYPES: Readonly<Record<string, string>> = { RS256: "RSA", ES256: "EC" };
const MIN_RSA_BITS = 2048;
/** For clocks that are behind the issuer's. A token that has run out has run out. */
const MAX_CLOCK_SKEW_SECONDS = 30;
/** GitHub's live five minutes to an hour. */
const MAX_LIFETIME_SECONDS = 3600;

const Times = z.object({ iat: z.int(), nbf: z.int(), exp: z.int() });
const Audience = z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)]);

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
  readonly issuers: readonly string[];
  /** What `aud` must be, exactly. */
  readonly audience: string;
  readonly now: () => number;
}

export function createSubjectTokens({ issuers, audience, now }: SubjectTokenOptions): SubjectTokens {
  const keysByIssuer = new Map(issuers.map((issuer) => [issuer, createIssuerKeys(issuer, now)]));
  return {
    async verify(token) {
      const form = parseTokenForm(token);
      if (!form.ok) return form;
      const { iss } = form.payload;
      const keys = typeof iss === "string" ? keysByIssuer.get(iss) : undefined;
      if (keys === undefined) {
        return refuse("issuer_unknown", `iss is ${JSON.stringify(iss)?.slice(0, 200)}`);
      }
      const signature = await verifySignature(token, { header: form.header, keys });
      return signature.ok ? checkClaims(form.payload, { audience, now: now() }) : signature;
    },
  };
}

async function verifySignature(
  token: string,
  { header, keys }: { header: Readonly<Record<string, unknown>>; keys: IssuerKeys },
): Promise<{ readonly ok: true } | Refused> {
  const { alg, kid, typ } = header;
  const keyType = typeof alg === "string" && Object.hasOwn(KEY_TYPES, alg) ? KEY_TYPES[alg] : undefined;
  if (typeof alg !== "string" || keyType === undefined) {
    return refuse("subject_token_untrusted", `alg is ${JSON.stringify(alg)}`);
  }
  if (typeof kid !== "string" || kid === "") {
    return refuse("subject_token_untrusted", "it has no kid");
  }
  let published: PublicJwk[];
  try {
    published = await keys.find(kid);
  } catch (error) {
    if (!(error instanceof FetchFailed)) throw error;
    return refuse("issuer_unreachable", error.message);
  }
  const [jwk, ...others] = published.filter(
    (key) =>
      key.kty === keyType &&
      (key.use ?? "sig") === "sig" &&
      (key.alg ?? alg) === alg &&
      (alg !== "ES256" || key.crv === "P-256"),
  );
  if (jwk === undefined || others.length > 0) {
    return refuse(
      "subject_token_untrusted",
      `the issuer has ${others.length === 0 ? "no" : "more than one"} key for it`,
    );
  }
  try {
    const key = await importPublicKey(jwk, alg);
    await compactVerify(token, key, { algorithms: [alg] });
  } catch (error) {
    return refuse(
      "subject_token_untrusted",
      error instanceof Error ? error.message : "the signature does not verify",
    );
  }
  // RFC 8725, section 3.11: a token made for another use, our own access tokens among them, is not a subject token.
  return typ === "JWT" ? { ok: true } : refuse("subject_token_untrusted", `typ is ${JSON.stringify(typ)}`);
}

async function importPublicKey({ kty, n, e, crv, x, y }: PublicJwk, alg: string): Promise<CryptoKey> {
  const members = kty === "RSA" ? { n, e } : { crv, x, y };
  const key = await importJWK(JSON.parse(JSON.stringify({ kty, ...members })), alg);
  if (key instanceof Uint8Array || key.type !== "public") {
    throw new TypeError("it is not a public key");
  }
  const { modulusLength } = z.object({ modulusLength: z.int().optional() }).parse(key.algorithm);
  if (modulusLength !== undefined && modulusLength < MIN_RSA_BITS) {
    throw new TypeError(`the issuer's key has ${modulusLength} bits, ${MIN_RSA_BITS} are the least`);
  }
  return key;
}

function checkClaims(
  payload: Readonly<Record<string, unknown>>,
  { audience, now }: { audience: string; now: number },
): VerifiedSubject | Refused {
  const aud = Audience.safeParse(payload["aud"]);
  if (!aud.success || aud.data !== audience) {
    return refuse(
      "audience_wrong",
      `aud is ${JSON.stringify(payload["aud"])?.slice(0, 200)}, not ${audience}`,
    );
  }
  const times = Times.safeParse(payload);
  if (!times.success) {
    return refuse("subject_token_malformed", "iat, nbf and exp must be whole seconds");
  }
  const { iat, nbf, exp } = times.data;
  const nowSeconds = now / 1000;
  if (exp <= nowSeconds) {
    return refuse("subject_token_expired", `exp was ${Math.ceil(nowSeconds - exp)} s ago`);
  }
  if (iat > nowSeconds + MAX_CLOCK_SKEW_SECONDS || nbf > nowSeconds + MAX_CLOCK_SKEW_SECONDS) {
    return refuse("subject_token_early", "iat or nbf is in the future");
  }
  if (exp - iat > MAX_LIFETIME_SECONDS) {
    return refuse("subject_token_untrusted", `it lives ${exp - iat} s, ${MAX_LIFETIME_SECONDS} are the most`);
  }
  const claims = Claims.safeParse(payload);
  if (!claims.success) {
    const paths = claims.error.issues.map((issue) => issue.path.join("."));
    return refuse("claims_missing", `missing or not as GitHub sends them: ${paths.join(", ").slice(0, 500)}`);
  }
  const { iss, repository_id, run_id, run_attempt, check_run_id = null } = claims.data;
  return {
    ok: true,
    claims: claims.data,
    workload: { iss, repository_id, run_id, run_attempt, check_run_id },
    expiresAt: exp * 1000,
  };
}
