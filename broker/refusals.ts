/**
 * Every refusal of the broker: the code for its log, and what a caller is told.
 * The sentence says what a workflow author should look at, and nothing about which robot, role or document exists.
 */

export interface PublicAnswer {
  readonly status: number;
  /** `error` of RFC 6749, section 5.2, RFC 8693, section 2.2.2, RFC 9449, section 5, or a name of our own. */
  readonly error: string;
  /** RFC 7523, section 3.1: in place of `error` where the subject token came as an assertion. */
  readonly assertionError?: "invalid_grant";
  /** Where repeating the request helps: after how long (`Retry-After`). */
  readonly retryAfterSeconds?: number;
  readonly sentence: string;
}

const retry = "The broker's operator finds the cause under the reference; the request can be repeated.";
const lookUp = "The broker's operator finds the reason under the reference.";

/** Which of them it was stands in the log: to a caller it is all the same. */
const untrusted = {
  status: 400,
  error: "invalid_request",
  assertionError: "invalid_grant",
  sentence: "The subject token is not signed by its issuer, or was not made to identify a job.",
} as const satisfies PublicAnswer;

/** The session, or the whole job: to a caller it is all the same, too. */
const over = {
  status: 400,
  error: "invalid_grant",
  sentence: "This job, or its session of this robot, has ended; a job has one. Run the job again.",
} as const satisfies PublicAnswer;

export const REFUSALS = {
  request_malformed: {
    status: 400,
    error: "invalid_request",
    sentence:
      "The request is not what this endpoint accepts: the Action and the broker may be of different versions.",
  },
  media_type_unsupported: {
    status: 415,
    error: "invalid_request",
    sentence: "The body has a media type that this endpoint does not accept.",
  },
  body_too_large: {
    status: 413,
    error: "invalid_request",
    sentence: "The body is larger than this endpoint accepts.",
  },
  server_address_refused: {
    status: 502,
    error: "server_unreachable",
    sentence: `The broker does not connect to the address of this server. ${lookUp}`,
  },
  not_found: { status: 404, error: "not_found", sentence: "There is nothing here." },
  grant_type_unsupported: {
    status: 400,
    error: "unsupported_grant_type",
    sentence: "The grant types here are the token exchange of RFC 8693 and the JWT bearer grant of RFC 7523.",
  },
  client_authentication_unsupported: {
    status: 401,
    error: "invalid_client",
    sentence: "Clients have no secrets here: a DPoP proof of the session's key is all that is asked for.",
  },
  authorization_unsupported: {
    status: 400,
    error: "unauthorized_client",
    sentence: "Nobody consents here for a program: a job shows its OIDC token at the token endpoint.",
  },
  resource_wrong: {
    status: 400,
    error: "invalid_target",
    sentence:
      "The request must name one resource, the public URL of this broker, exactly as its operator wrote it.",
  },
  scope_malformed: {
    status: 400,
    error: "invalid_scope",
    sentence: "The scope may name one robot as `robot:owner/repo/name` and roles as `role:name`.",
  },

  subject_token_malformed: {
    status: 400,
    error: "invalid_request",
    assertionError: "invalid_grant",
    sentence: "The subject token is not an OIDC token of a workflow job.",
  },
  algorithm_refused: untrusted,
  key_unknown: untrusted,
  key_unusable: untrusted,
  signature_invalid: untrusted,
  token_type_wrong: untrusted,
  lifetime_too_long: untrusted,
  issuer_unknown: {
    status: 400,
    error: "invalid_request",
    assertionError: "invalid_grant",
    sentence:
      "The subject token comes from an issuer that this broker does not trust: its operator lists issuers in LANYARD_ISSUERS.",
  },
  issuer_unreachable: {
    status: 503,
    error: "temporarily_unavailable",
    retryAfterSeconds: 2,
    sentence: `The broker cannot fetch the keys of the subject token's issuer. ${retry}`,
  },
  audience_wrong: {
    status: 400,
    error: "invalid_request",
    assertionError: "invalid_grant",
    sentence:
      "The subject token was requested for another audience: it must be the broker's public URL, exactly.",
  },
  subject_token_expired: {
    status: 400,
    error: "invalid_request",
    assertionError: "invalid_grant",
    sentence: "The subject token has expired: request a fresh one for each exchange.",
  },
  subject_token_early: {
    status: 400,
    error: "invalid_request",
    assertionError: "invalid_grant",
    sentence: "The subject token is not valid yet: the broker's clock is behind that of the issuer.",
  },
  claims_missing: {
    status: 400,
    error: "invalid_request",
    assertionError: "invalid_grant",
    sentence: "The subject token lacks claims that identify a job of GitHub Actions.",
  },
  subject_token_replayed: {
    status: 400,
    error: "invalid_request",
    assertionError: "invalid_grant",
    sentence: "The subject token was used before: request a fresh one for each exchange.",
  },
  proof_invalid: {
    status: 400,
    error: "invalid_dpop_proof",
    sentence: "The DPoP proof is missing or is not one for this request, made just now.",
  },
  proof_replayed: { status: 400, error: "invalid_dpop_proof", sentence: "The DPoP proof was used before." },
  robot_refused: {
    status: 400,
    error: "invalid_request",
    assertionError: "invalid_grant",
    sentence: `No robot with these roles is bound to this repository, workflow, event and ref. ${lookUp}`,
  },
  workload_taken: {
    status: 400,
    error: "invalid_grant",
    sentence:
      "This job has its session already, and it belongs to another key. The attempt is shown on the run's page. Lanyard is used once in a job, before any other step.",
  },
  session_ended: over,
  attempt_over: over,
  session_differs: {
    status: 400,
    error: "invalid_scope",
    sentence: "This job has a session of this robot with other roles; they cannot be changed.",
  },

  access_token_missing: {
    status: 401,
    error: "invalid_token",
    sentence: "This needs a session's access token, under the DPoP scheme, and a proof of its key.",
  },
  access_token_invalid: {
    status: 401,
    error: "invalid_token",
    sentence:
      "The access token is missing, has expired, or does not belong to the key that signed the proof.",
  },
  session_over: {
    status: 401,
    error: "session_over",
    sentence: "The session has ended and grants nothing any more.",
  },
  operator_token_missing: {
    status: 401,
    error: "invalid_token",
    sentence: "This needs an operator's token as a bearer: `lanyard operator add` makes one.",
  },
  operator_token_invalid: {
    status: 401,
    error: "invalid_token",
    sentence: "The operator's token is not one of this broker.",
  },
  too_many_guesses: {
    status: 429,
    error: "too_many_requests",
    sentence: "Too many wrong tokens came from this address.",
  },
  workload_differs: {
    status: 403,
    error: "invalid_grant",
    sentence: "The subject token is not one of the job that the session belongs to.",
  },
  segment_out_of_order: {
    status: 409,
    error: "segment_out_of_order",
    sentence: "The segment does not continue the last one: segments come in order, without gaps.",
  },
  segment_conflict: {
    status: 409,
    error: "segment_conflict",
    sentence: "Another segment was announced under this number. What was countersigned does not change.",
  },
  seal_mismatch: {
    status: 409,
    error: "seal_mismatch",
    sentence: "The seal does not name the last segment that was announced.",
  },
  recovery_refused: {
    status: 403,
    error: "recovery_refused",
    sentence:
      "The log of this session cannot be recovered by this job, or has been recovered or sealed already.",
  },
  tail_malformed: {
    status: 400,
    error: "invalid_request",
    sentence: "The tail is not zstd-compressed JSON lines.",
  },
  upload_refused: {
    status: 403,
    error: "upload_refused",
    sentence:
      "The upload's address is not one that this broker gave out, or has expired: announce the segment again.",
  },
  upload_differs: {
    status: 400,
    error: "upload_differs",
    sentence: "The body is not the one that was announced.",
  },
  upload_exists: {
    status: 412,
    error: "upload_exists",
    sentence: "The object is stored; it is not replaced.",
  },
  address_limited: {
    status: 429,
    error: "temporarily_unavailable",
    retryAfterSeconds: 5,
    sentence: "Too many requests from this address were refused: repeat the request in a moment.",
  },
  repository_limited: {
    status: 429,
    error: "temporarily_unavailable",
    retryAfterSeconds: 5,
    sentence:
      "The jobs of this repository ask for too many sessions at once: repeat the request in a moment. The broker's operator sets LANYARD_REPOSITORY_LIMIT.",
  },
  busy: {
    status: 503,
    error: "temporarily_unavailable",
    retryAfterSeconds: 2,
    sentence: "The broker is busy: repeat the request in a moment.",
  },
  bucket_unavailable: {
    status: 503,
    error: "temporarily_unavailable",
    retryAfterSeconds: 2,
    sentence: `The broker cannot store audit logs, and without a log there is no session. ${retry}`,
  },
  database_unavailable: {
    status: 503,
    error: "temporarily_unavailable",
    retryAfterSeconds: 2,
    sentence: `The broker cannot use its database. ${retry}`,
  },
  broker_failed: { status: 500, error: "server_error", sentence: `The broker failed. ${retry}` },
} as const satisfies Record<string, PublicAnswer>;

export type RefusalCode = keyof typeof REFUSALS;

/** What was compared and is not equal: for the operator's log. */
export interface ComparedValue {
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

/** A refusal as a value. `detail` and `mismatches` are for the operator's log: they hold no token and no secret. */
export interface Refused {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly detail: string;
  /** The claims that did not match, where the refusal is about any. */
  readonly mismatches?: readonly ComparedValue[];
}

export function refuse(code: RefusalCode, detail: string, mismatches?: readonly ComparedValue[]): Refused {
  return { ok: false, code, detail, ...(mismatches === undefined ? {} : { mismatches }) };
}
