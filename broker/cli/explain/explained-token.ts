/**
 * The verification of a token as an operator reads it: every step with its outcome, in the broker's order.
 * Unlike the broker it goes on after a refusal, so that one look shows all that is wrong.
 */
import type { Claims } from "../../../policies/claims.ts";
import type { IssuerKeys } from "../../identity/issuer-keys.ts";
import { type VERIFICATION_ORDER, findIssuer } from "../../identity/subject-token.ts";
import { checkAudience, checkTimes, readClaims } from "../../identity/token-claims.ts";
import { type TokenForm, parseTokenForm } from "../../identity/token-form.ts";
import { checkAlgorithm, checkSignature, checkType, findKey } from "../../identity/token-signature.ts";
import type { RefusalCode, Refused } from "../../refusals.ts";

type StepName = (typeof VERIFICATION_ORDER)[number];

export interface StepOutcome {
  readonly step: StepName;
  readonly outcome: "passed" | "refused" | "skipped";
  readonly code?: RefusalCode;
  /** Why it was refused or skipped. */
  readonly detail?: string;
}

export interface Trust {
  /** By the issuers that are trusted. */
  readonly issuers: ReadonlyMap<string, IssuerKeys>;
  /** Whether their keys are at hand. */
  readonly hasKeys: boolean;
  /** The broker's public URL, where it is known. */
  readonly audience: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface ExplainedToken {
  readonly steps: readonly StepOutcome[];
  readonly claims: Claims | undefined;
}

const KEYS_MISSING = "no keys at hand: name a file with --keys, or fetch them with --fetch";
const AUDIENCE_MISSING = "the broker's URL is not known: name it with --audience";

export async function explainToken(token: string, trust: Trust): Promise<ExplainedToken> {
  const form = parseTokenForm(token);
  if (!form.ok) return { steps: [outcomeOf("form", form)], claims: undefined };
  const { header, payload } = form;
  const issuer = findIssuer(payload, trust.issuers);
  const { steps, claims } = explainPayload(payload, trust);
  return {
    steps: [
      outcomeOf("form", form),
      outcomeOf("issuer", issuer),
      ...(await explainSignature(token, header, trust.hasKeys && issuer.ok ? issuer.keys : undefined)),
      outcomeOf("type", checkType(header)),
      ...steps,
    ],
    claims,
  };
}

/** Of claims that somebody copied out of a token: who signed them cannot be seen any more. */
export function explainClaims(payload: TokenForm["payload"], trust: Trust): ExplainedToken {
  // What a copy leaves out of the token's own envelope is no reason to say nothing about the job.
  const { jti = "not-given", iat, nbf } = payload;
  const { steps, claims } = explainPayload({ ...payload, jti }, trust);
  const isDated = iat !== undefined && nbf !== undefined && payload["exp"] !== undefined;
  return {
    steps: [
      outcomeOf("issuer", findIssuer(payload, trust.issuers)),
      ...steps
        .filter(({ step }) => isDated || step !== "time")
        .filter(({ step }) => step !== "audience" || "aud" in payload),
    ],
    claims,
  };
}

function explainPayload(payload: TokenForm["payload"], { audience, now }: Trust): ExplainedToken {
  const read = readClaims(payload);
  return {
    steps: [
      audience === undefined
        ? skipped("audience", AUDIENCE_MISSING)
        : outcomeOf("audience", checkAudience(payload, audience)),
      outcomeOf("time", checkTimes(payload, now)),
      outcomeOf("claims", read),
    ],
    claims: read.ok ? read.claims : undefined,
  };
}

async function explainSignature(
  token: string,
  header: TokenForm["header"],
  keys: IssuerKeys | undefined,
): Promise<StepOutcome[]> {
  const chosen = checkAlgorithm(header);
  const algorithm = outcomeOf("algorithm", chosen);
  if (!chosen.ok) {
    const reason = "no key can be chosen for this algorithm";
    return [algorithm, skipped("key", reason), skipped("signature", reason)];
  }
  if (keys === undefined)
    return [algorithm, skipped("key", KEYS_MISSING), skipped("signature", KEYS_MISSING)];
  const key = await findKey(header, chosen.algorithm, keys);
  const signature = key.ok
    ? outcomeOf("signature", await checkSignature(token, key))
    : skipped("signature", "there is no key to verify it with");
  return [algorithm, outcomeOf("key", key), signature];
}

function outcomeOf(step: StepName, result: { readonly ok: true } | Refused): StepOutcome {
  return result.ok
    ? { step, outcome: "passed" }
    : { step, outcome: "refused", code: result.code, detail: result.detail };
}

function skipped(step: StepName, detail: string): StepOutcome {
  return { step, outcome: "skipped", detail };
}
