/**
 * What went wrong at an authorization server, as one sentence for the operator. Of what it answered, only codes that the
 * RFCs define are repeated: its own words may hold whatever was sent to it.
 */
import {
  AuthorizationResponseError,
  OperationProcessingError,
  ResponseBodyError,
  UnsupportedOperationError,
  WWWAuthenticateChallengeError,
} from "oauth4webapi";
import type { MintFailure } from "../kind.ts";
import { explainUnasked, refused, unavailable } from "../minting/mint-failure.ts";
import { OauthRefused } from "./refusal.ts";

/** RFC 6749, sections 4.1.2.1 and 5.2; RFC 7009, 7591, 8693, 8707; OpenID Connect Core, section 3.1.2.6. */
const MEANINGS: Readonly<Record<string, string>> = {
  access_denied: "whoever was asked said no, or may not",
  consent_required: "nobody agreed to what was asked for",
  interaction_required: "somebody has to answer in the browser",
  invalid_client:
    "it does not know the client, or not by this proof: compare client_id, client_auth and the stored secret",
  invalid_client_metadata:
    "it does not register clients like this one: register one by hand and write its client_id",
  invalid_grant: "the grant is over: it was revoked, has expired, or was used before",
  invalid_redirect_uri: "it does not register this broker's redirect address: register the client by hand",
  invalid_request:
    "it did not understand what it was asked, or misses something: compare resource, audience and scopes",
  invalid_scope: "a scope is unknown to it, or more than the client may have: compare scopes",
  invalid_target: "it gives out no tokens for this resource: compare resource and audience",
  login_required: "somebody has to log in in the browser",
  server_error: "it failed",
  temporarily_unavailable: "it is busy",
  slow_down: "it is busy",
  unauthorized_client: "the client may not use this grant: allow it there",
  unsupported_grant_type: "it has no such grant",
  unsupported_response_type: "it gives out no codes",
  unsupported_token_type: "it does not end tokens of this type",
};
const PASSING = ["server_error", "temporarily_unavailable", "slow_down"];

/** `server` is the address that was asked, of which the origin is told. Throws what is a bug. */
export function describeFailure(error: unknown, server: string): MintFailure {
  const who = `The authorization server ${new URL(server).origin}`;
  if (error instanceof OauthRefused) return refused(error.message);
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
    return describeCode(who, error.error, error instanceof ResponseBodyError ? error.status : 400);
  }
  if (error instanceof WWWAuthenticateChallengeError)
    return describeCode(who, "invalid_client", error.status);
  if (error instanceof OperationProcessingError || error instanceof UnsupportedOperationError) {
    const { cause } = error;
    if (cause instanceof Response && isPassing(cause.status)) {
      return unavailable(`${who} is busy or failed (HTTP ${cause.status}).`);
    }
    return unavailable(`${who} answered what no authorization server may${statusOf(cause)}.`);
  }
  return explainUnasked(error);
}

/** RFC 6749, section 5.2: nothing but a new grant helps. */
export function isGrantOver(error: unknown): boolean {
  return error instanceof ResponseBodyError && error.error === "invalid_grant";
}

/** The code of an error, where an RFC has it, and what it means. */
function describeErrorCode(code: string | undefined): string {
  const meaning = code === undefined || !Object.hasOwn(MEANINGS, code) ? undefined : MEANINGS[code];
  return meaning === undefined ? "an error of its own" : `${code} (${meaning})`;
}

function describeCode(who: string, code: string, status: number): MintFailure {
  const text = `${who} answered ${describeErrorCode(code)}.`;
  return isPassing(status) || PASSING.includes(code) ? unavailable(text) : refused(text);
}

const isPassing = (status: number): boolean => status === 429 || status >= 500;

function statusOf(cause: unknown): string {
  return cause instanceof Response && cause.status !== 200 ? ` (HTTP ${cause.status})` : "";
}
