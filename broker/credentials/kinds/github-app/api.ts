/**
 * GitHub's REST API as an app asks it. Every failure is told from status and headers alone: what GitHub wrote in a body
 * may repeat what it was sent, so it reaches no sentence.
 */
import { readVersion } from "../../../cli/version.ts";
import type { EndContext, IssuerAnswer, IssuerRequest, MintFailure } from "../../kind.ts";
import { explainUnasked, refused, unavailable } from "../../minting/mint-failure.ts";

const PUBLIC_API = "https://api.github.com";
const API_VERSION = "2022-11-28";
const VERSION = readVersion();
/** More than a request takes. GitHub tolerates none; the statement of an app is dated back by this much. */
const CLOCK_TOLERANCE_MS = 60_000;

interface GithubQuestion {
  readonly method: IssuerRequest["method"];
  readonly path: string;
  /** The app's statement, or an installation token. */
  readonly token: string;
  readonly body?: Readonly<Record<string, unknown>>;
}
type GithubAnswer = { readonly ok: true; readonly answer: IssuerAnswer } | MintFailure;
export type AskGithub = (question: GithubQuestion) => Promise<GithubAnswer>;

type Asking = Pick<EndContext<"github-app">, "ask" | "session">;

/** Without a slash at its end. */
export function apiUrlOf({ api_url = PUBLIC_API }: { readonly api_url?: string | undefined }): string {
  const { origin, pathname } = new URL(api_url);
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}

export function connectToGithub(apiUrl: string, { ask, session }: Asking): AskGithub {
  const attribution = session === undefined ? "" : ` (${session.robot}; run ${session.runId})`;
  return async ({ method, path, token, body }) => {
    const request: IssuerRequest = {
      method,
      url: `${apiUrl}${path}`,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${token}`,
        "user-agent": `lanyard/${VERSION}${attribution}`,
        "x-github-api-version": API_VERSION,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    try {
      return { ok: true, answer: await ask(request) };
    } catch (error) {
      return explainUnasked(error);
    }
  };
}

/** What a status other than the expected one means; `sentences` for those that mean something of their own there. */
export function explainGithub(
  { status, headers }: IssuerAnswer,
  sentences: Readonly<Record<number, string>>,
  now: number,
): MintFailure {
  if (isRateLimited(status, headers)) {
    return unavailable(`GitHub's rate limit for the app is used up${describeReset(headers, now)}.`);
  }
  const sentence = sentences[status];
  if (sentence !== undefined) return refused(sentence);
  if (status === 401) return refused(describeUnauthenticated(headers, now));
  return status >= 500
    ? unavailable(`GitHub answered with status ${status}.`)
    : refused(
        `GitHub answered with status ${status}, which an app has no use for: is api_url GitHub's REST API?`,
      );
}

export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isRateLimited(status: number, headers: IssuerAnswer["headers"]): boolean {
  // GitHub says 403 as well: the headers tell it from a refusal.
  const isUsedUp = headers["x-ratelimit-remaining"] === "0" || headers["retry-after"] !== undefined;
  return status === 429 || (status === 403 && isUsedUp);
}

function describeReset(headers: IssuerAnswer["headers"], now: number): string {
  const waitSeconds = secondsIn(headers["retry-after"]);
  const resetSeconds = secondsIn(headers["x-ratelimit-reset"]);
  const at = waitSeconds === undefined ? resetSeconds : Math.ceil(now / 1000) + waitSeconds;
  return at === undefined ? "" : ` until ${new Date(at * 1000).toISOString()}`;
}

function secondsIn(header: string | undefined): number | undefined {
  return header !== undefined && /^[0-9]{1,10}$/.test(header) ? Number(header) : undefined;
}

/** A clock that is wrong is the one cause that can be seen from here. */
function describeUnauthenticated(headers: IssuerAnswer["headers"], now: number): string {
  const offMs = now - Date.parse(headers["date"] ?? "");
  return Math.abs(offMs) > CLOCK_TOLERANCE_MS
    ? `GitHub does not accept the app's statement: the broker's clock is ${Math.round(Math.abs(offMs) / 1000)} s ${offMs > 0 ? "ahead of" : "behind"} GitHub's.`
    : "GitHub does not know the app by its key: app_id is another app's, or the stored key was deleted there.";
}
