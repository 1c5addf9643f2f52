/**
 * What GitHub's REST API says about a repository: the ids that bindings go by, and who issues the tokens of its jobs.
 * The token goes to the API that was named and nowhere else, and no message repeats it or what GitHub answered.
 */
import { z } from "zod";

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const API_VERSION = "2022-11-28";

export interface GithubApi {
  /** `https://api.github.com`, `https://api.SUB.ghe.com`, `https://HOST/api/v3`. */
  readonly apiUrl: string;
  readonly token: string;
}

export interface RepositoryFacts {
  readonly ok: true;
  readonly repositoryId: string;
  readonly ownerId: string;
  /** Undefined where it cannot be told from the API's address. */
  readonly issuer: string | undefined;
  /** What a person should know. */
  readonly notes: readonly string[];
}

export interface GithubRefusal {
  readonly ok: false;
  readonly code: "github_refused" | "github_unreachable" | "repository_unknown" | "repository_renamed";
  /** One sentence, with what to do. */
  readonly message: string;
}

const Repository = z.object({
  id: z.int().positive(),
  full_name: z.string(),
  owner: z.object({ id: z.int().positive() }),
});
const SubjectTemplate = z.object({
  use_default: z.boolean(),
  include_claim_keys: z.array(z.string().max(100)).max(50).optional(),
});
const Discovery = z.object({ issuer: z.string() });

/** `repository` is OWNER/REPO. */
export async function askGithub(
  repository: string,
  api: GithubApi,
): Promise<RepositoryFacts | GithubRefusal> {
  const url = parseApiUrl(api.apiUrl);
  if (url === undefined) {
    return refuse("github_unreachable", "the address of GitHub's API must begin with https://");
  }
  const base = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  const read = async (path: string): Promise<Response | GithubRefusal> =>
    fetchFrom(`${base}${path}`, {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${api.token}`,
      "x-github-api-version": API_VERSION,
      "user-agent": "lanyard",
    });
  const answer = await read(`/repos/${repository}`);
  if (!(answer instanceof Response)) return answer;
  if (answer.status !== 200) {
    await answer.body?.cancel();
    return explainStatus(answer, repository);
  }
  const found = Repository.safeParse(await readJson(answer));
  if (!found.success)
    return refuse("github_unreachable", `${url.host} answered something that is not GitHub's`);
  const { id, full_name, owner } = found.data;
  if (full_name !== repository) {
    return refuse(
      "repository_renamed",
      `GitHub calls it ${JSON.stringify(full_name.slice(0, 200))}: use that name`,
    );
  }
  const issuer = issuerOf(url);
  const notes = [
    ...(issuer === undefined ? [] : await checkIssuer(issuer)),
    ...(await describeSubject(await read(`/repos/${repository}/actions/oidc/customization/sub`))),
  ];
  return { ok: true, repositoryId: String(id), ownerId: String(owner.id), issuer, notes };
}

/** The token is not sent in clear over a network. */
function parseApiUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  const isLocal = url !== null && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLocal);
  return url !== null && isSafe && url.username === "" && url.search === "" ? url : undefined;
}

function issuerOf({ protocol, host, origin, pathname }: URL): string | undefined {
  if (host === "api.github.com") return "https://token.actions.githubusercontent.com";
  const dataResidency = /^api\.([a-z0-9-]+\.ghe\.com)$/.exec(host)?.[1];
  if (dataResidency !== undefined) return `${protocol}//token.actions.${dataResidency}`;
  return /^\/api\/v3\/?$/.test(pathname) ? `${origin}/_services/token` : undefined;
}

async function fetchFrom(url: string, headers: Record<string, string>): Promise<Response | GithubRefusal> {
  try {
    // A redirect would take the token along: the new place is the operator's to name.
    return await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "no answer";
    return refuse("github_unreachable", `${new URL(url).host} could not be reached (${reason})`);
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const body: AsyncIterable<Uint8Array> = response.body ?? new ReadableStream<Uint8Array>();
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > MAX_ANSWER_BYTES) return undefined;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}

function explainStatus({ status, headers }: Response, repository: string): GithubRefusal {
  const isUsedUp = headers.get("x-ratelimit-remaining") === "0" || headers.has("retry-after");
  if (status === 429 || (status === 403 && isUsedUp)) {
    return refuse("github_refused", `GitHub's rate limit for this token is used up${describeReset(headers)}`);
  }
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return refuse("repository_renamed", `${repository} was renamed or moved: use its present name`);
    case 401:
      return refuse(
        "github_refused",
        "GitHub does not accept GITHUB_TOKEN: it has expired or is for another host",
      );
    case 403:
      return refuse(
        "github_refused",
        headers.has("x-github-sso")
          ? "GITHUB_TOKEN must be authorized for the organization's single sign-on first"
          : `GITHUB_TOKEN may not read ${repository}: it needs the permission \`metadata: read\``,
      );
    case 404:
      return refuse("repository_unknown", `GitHub knows no ${repository}, or GITHUB_TOKEN may not see it`);
    default:
      return refuse("github_unreachable", `GitHub answered with status ${status}`);
  }
}

function describeReset(headers: Headers): string {
  const seconds = Number(headers.get("x-ratelimit-reset"));
  return Number.isInteger(seconds) && seconds > 0 && seconds < 1e11
    ? ` until ${new Date(seconds * 1000).toISOString()}`
    : ": try again later";
}

/** OpenID Connect Discovery 1.0, section 4.3. */
async function checkIssuer(issuer: string): Promise<string[]> {
  const answer = await fetchFrom(`${issuer}/.well-known/openid-configuration`, {
    accept: "application/json",
  });
  const document = answer instanceof Response ? Discovery.safeParse(await readJson(answer)) : undefined;
  return document?.success === true && document.data.issuer === issuer
    ? []
    : [`${issuer} could not be confirmed as an issuer: compare it with \`iss\` in a token of a job`];
}

async function describeSubject(answer: Response | GithubRefusal): Promise<string[]> {
  // Reading it needs a right that the ids do not need.
  const template = answer instanceof Response ? SubjectTemplate.safeParse(await readJson(answer)) : undefined;
  if (template?.success !== true || template.data.use_default) return [];
  const keys = (template.data.include_claim_keys ?? []).map((key) => key.replace(/[^\w-]/g, "?")).join(", ");
  return [
    `the repository has \`sub\` made of ${keys === "" ? "other claims" : keys}: bindings do not go by it`,
  ];
}

function refuse(code: GithubRefusal["code"], message: string): GithubRefusal {
  return { ok: false, code, message };
}
