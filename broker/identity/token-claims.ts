/**
 * What a subject token says, once it is known who says it: for this broker, now, and enough to identify a job.
 * Pure: the time is passed in.
 */
import { z } from "zod";
import type { Workload } from "../../audit/record.ts";
import { Claims } from "../../policies/claims.ts";
import { type Refused, refuse } from "../refusals.ts";
import { refuseMember } from "./member-refusal.ts";
import type { TokenForm } from "./token-form.ts";

type Payload = TokenForm["payload"];

/** For clocks that are behind the issuer's. A token that has run out has run out. */
const MAX_CLOCK_SKEW_SECONDS = 30;
/** GitHub's live five minutes to an hour. */
const MAX_LIFETIME_SECONDS = 3600;

const Times = z.object({ iat: z.int(), nbf: z.int(), exp: z.int() });
/** RFC 7519, section 4.1.3: an array of one says the same as the string. With a second audience it is a token for both. */
const Audience = z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)]);

export function checkAudience({ aud }: Payload, audience: string): { readonly ok: true } | Refused {
  return Audience.safeParse(aud).data === audience
    ? { ok: true }
    : refuseMember("audience_wrong", "aud", { expected: audience, got: aud });
}

export interface CheckedTimes {
  readonly ok: true;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** `now` in milliseconds since the epoch. */
export function checkTimes(payload: Payload, now: number): CheckedTimes | Refused {
  const times = Times.safeParse(payload);
  if (!times.success) {
    const names = times.error.issues.map((issue) => issue.path.join("."));
    return refuse("subject_token_malformed", `expected whole seconds: ${names.join(", ")}`);
  }
  const { iat, nbf, exp } = times.data;
  if (exp <= iat || exp <= nbf) {
    return refuse("subject_token_malformed", `it ends before it begins: iat ${iat}, nbf ${nbf}, exp ${exp}`);
  }
  const nowSeconds = now / 1000;
  if (exp <= nowSeconds) {
    return refuse("subject_token_expired", `exp was ${Math.ceil(nowSeconds - exp)} s ago`);
  }
  const latest = nowSeconds + MAX_CLOCK_SKEW_SECONDS;
  if (iat > latest || nbf > latest) {
    const ahead = Math.ceil(Math.max(iat, nbf) - nowSeconds);
    return refuse(
      "subject_token_early",
      `iat or nbf is ${ahead} s ahead, ${MAX_CLOCK_SKEW_SECONDS} are allowed`,
    );
  }
  if (exp - iat > MAX_LIFETIME_SECONDS) {
    return refuse("lifetime_too_long", `it lives ${exp - iat} s, ${MAX_LIFETIME_SECONDS} are the most`);
  }
  return { ok: true, expiresAt: exp * 1000 };
}

export interface ReadClaims {
  readonly ok: true;
  readonly claims: Claims;
  readonly workload: Workload;
}

export function readClaims(payload: Payload): ReadClaims | Refused {
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
  };
}
