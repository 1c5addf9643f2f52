/**
 * Subject tokens from GitHub's OIDC endpoint: a fresh one for each request to the broker, never kept.
 * The endpoint is known to hang for minutes and to answer 403 while a job is pending, so each attempt is short, is
 * repeated, and all of them together have an end. Neither its address nor a token is ever part of a message.
 */
import * as z from "zod/mini";
import { HttpFailed, type Http, type HttpAnswer } from "./http-request.ts";
import { type Attempt, PatienceExhausted, retry } from "./retry.ts";

export interface SubjectTokenOptions {
  readonly http: Http;
  /** `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly oidc: { readonly url: string; readonly token: string };
  /** The broker's public URL. */
  readonly audience: string;
  /** For all attempts together, pauses and the last answer included. Default 20 s. */
  readonly patienceMs?: number;
  /** For one attempt; shorter where less is left. Default 5 s. */
  readonly attemptTimeoutMs?: number;
}

export class SubjectTokenUnavailable extends Error {
  readonly code = "subject_token_unavailable";
}

const DEFAULT_ATTEMPT_TIMEOUT_MS = 5_000;
const DEFAULT_PATIENCE_MS = 20_000;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 3_000;
/** 403: the job is still "Pending" for the endpoint. */
const PASSING_STATUS = new Set([403, 408, 425, 429]);
/** More than any of GitHub's tokens has; the broker takes no longer ones. */
const MAX_TOKEN_LENGTH = 16 * 1024;

const Answer = z.object({ value: z.string().check(z.minLength(1), z.maxLength(MAX_TOKEN_LENGTH)) });

/** Throws `SubjectTokenUnavailable` with one sentence. */
export async function fetchSubjectToken(options: SubjectTokenOptions): Promise<string> {
  const url = addressOf(options);
  const attemptTimeoutMs = options.attemptTimeoutMs ?? DEFAULT_ATTEMPT_TIMEOUT_MS;
  const untilMs = performance.now() + (options.patienceMs ?? DEFAULT_PATIENCE_MS);
  let reason: string | undefined;
  const attempt = async (): Promise<Attempt<string>> => {
    const leftMs = Math.max(1, Math.ceil(untilMs - performance.now()));
    try {
      const answer = await options.http({
        method: "GET",
        url,
        headers: { Authorization: `bearer ${options.oidc.token}`, Accept: "application/json" },
        timeoutMs: Math.min(attemptTimeoutMs, leftMs),
      });
      const read = readAnswer(answer);
      if (!read.settled) reason = read.reason;
      return read;
    } catch (cause) {
      if (!(cause instanceof HttpFailed)) throw cause;
      // An attempt that was cut short says nothing of the endpoint: what it said before does.
      if (reason === undefined || leftMs >= attemptTimeoutMs) reason = cause.reason;
      return { settled: false, reason };
    }
  };
  try {
    return await retry(attempt, { untilMs, firstPauseMs: FIRST_PAUSE_MS, maxPauseMs: MAX_PAUSE_MS });
  } catch (cause) {
    throw cause instanceof PatienceExhausted ? unavailable(cause.message) : cause;
  }
}

function addressOf({ oidc, audience }: SubjectTokenOptions): string {
  const url = URL.parse(oidc.url);
  // What `new URL` throws would carry the address.
  if (url === null) throw unavailable("the runner named no address for it");
  url.searchParams.set("audience", audience);
  return url.href;
}

/** A redirect is not followed: the request token is for this endpoint and no other. */
function readAnswer({ status, body }: HttpAnswer): Attempt<string> {
  if (status === 200) return { settled: true, value: parseToken(body) };
  const reason = `it answered with status ${status}`;
  if (PASSING_STATUS.has(status) || status >= 500) return { settled: false, reason };
  throw unavailable(reason);
}

function parseToken(body: string): string {
  try {
    return Answer.parse(JSON.parse(body)).value;
  } catch {
    // The cause would quote the body, and with it perhaps a token.
    throw unavailable("its answer holds no token");
  }
}

function unavailable(reason: string): SubjectTokenUnavailable {
  return new SubjectTokenUnavailable(
    `GitHub's OIDC endpoint gave no token for this job: ${reason}. Run the job again; githubstatus.com shows whether Actions has a problem.`,
  );
}
