/**
 * Subject tokens from GitHub's OIDC endpoint: a fresh one for each request to the broker, never kept.
 * The endpoint is known to hang and to answer 403 while a job is pending, so each attempt is short and is repeated.
 */
import * as z from "zod/mini";
import { HttpFailed, type Http } from "./http-request.ts";
import { type Attempt, PatienceExhausted, retry } from "./retry.ts";

export interface SubjectTokenOptions {
  readonly http: Http;
  /** `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly oidc: { readonly url: string; readonly token: string };
  /** The broker's public URL. */
  readonly audience: string;
  /** For all attempts together. */
  readonly patienceMs?: number;
}

export class SubjectTokenUnavailable extends Error {
  readonly code = "subject_token_unavailable";
}

const ATTEMPT_TIMEOUT_MS = 5_000;
const DEFAULT_PATIENCE_MS = 20_000;
/** 403: the job is still "Pending" for the endpoint. */
const PASSING_STATUS = new Set([403, 408, 429]);

const Answer = z.object({ value: z.string().check(z.minLength(1)) });

/** Throws `SubjectTokenUnavailable` with one sentence; it never names the token. */
export async function fetchSubjectToken(options: SubjectTokenOptions): Promise<string> {
  const url = new URL(options.oidc.url);
  url.searchParams.set("audience", options.audience);
  const attempt = async (): Promise<Attempt<string>> => {
    try {
      const answer = await options.http({
        method: "GET",
        url: url.href,
        headers: { Authorization: `bearer ${options.oidc.token}`, Accept: "application/json" },
        timeoutMs: ATTEMPT_TIMEOUT_MS,
      });
      if (answer.status === 200) return { settled: true, value: parseAnswer(answer.body) };
      const reason = `it answered with status ${answer.status}`;
      if (PASSING_STATUS.has(answer.status) || answer.status >= 500) return { settled: false, reason };
      throw unavailable(reason);
    } catch (cause) {
      if (cause instanceof HttpFailed) return { settled: false, reason: cause.message };
      throw cause;
    }
  };
  const untilMs = performance.now() + (options.patienceMs ?? DEFAULT_PATIENCE_MS);
  try {
    return await retry(attempt, { untilMs, firstPauseMs: 200, maxPauseMs: 3_000 });
  } catch (cause) {
    throw cause instanceof PatienceExhausted ? unavailable(cause.message, cause) : cause;
  }
}

function parseAnswer(body: string): string {
  try {
    return Answer.parse(JSON.parse(body)).value;
  } catch {
    // The cause would quote the body, and with it perhaps a token.
    throw unavailable("its answer holds no token");
  }
}

function unavailable(reason: string, cause?: Error): SubjectTokenUnavailable {
  return new SubjectTokenUnavailable(
    `GitHub's OIDC endpoint gave no token for this job: ${reason}. Run the job again; githubstatus.com shows whether Actions has a problem.`,
    { cause },
  );
}
