/**
 * Everything the Action is told from outside: its inputs, the runner's variables, its own state.
 * The one place in this room that reads the environment; each problem is one sentence that says what to change.
 */
import * as z from "zod/mini";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. Everything else here is a pure function of one. */
export const environment: Environment = process.env;

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: string[] };

const MAX_AGENTS = 16;
const nameList = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter((name) => name !== ""))];
const list = z.pipe(z.string(), z.transform(nameList));

const Broker = z.pipe(z.string(), z.transform(parseOrigin)).check(
  z.refine((origin) => origin !== undefined, {
    error:
      "The input `broker` must be the broker's public URL, an https origin without a path, as in `broker: https://lanyard.example.com`.",
  }),
);
const Robot = z.string().check(
  z.regex(/^$|^([\w.-]+\/[\w.-]+\/)?[a-z0-9][a-z0-9_-]{0,62}$/, {
    error: "The input `robot` must be a robot's name, as in `robot: triager`, or `owner/repo/name` in full.",
  }),
);
const Roles = list.check(
  z.refine((roles) => roles.every(isName), {
    error: "The input `roles` must be names of roles, separated by commas, as in `roles: reader, labeller`.",
  }),
);
const Servers = list.check(
  z.refine((servers) => servers.every(isName), {
    error:
      "The input `servers` must be names of servers, separated by commas, as in `servers: github, memory`.",
  }),
);
const Agents = list.check(
  z.refine((agents) => agents.length > 0 && agents.length <= MAX_AGENTS && agents.every(isAgentName), {
    error: `The input \`agents\` must be one to ${MAX_AGENTS} names of lower-case letters, digits and hyphens, separated by commas, as in \`agents: planner, coder\`.`,
  }),
);
const FailOn = z.enum(["never", "denied", "incomplete"], {
  error: "The input `fail-on` must be `never`, `denied` or `incomplete`.",
});
export type FailOn = z.infer<typeof FailOn>;

const fromRunner = (name: string) => {
  const error = `The runner did not set ${name}: this Action runs as a step of a GitHub Actions job.`;
  return z.string({ error }).check(z.minLength(1, { error }));
};
const maybe = z.optional(z.string());

const Main = z.object({
  broker: Broker,
  robot: Robot,
  roles: Roles,
  servers: Servers,
  agents: Agents,
  failOn: FailOn,
  runnerTemp: fromRunner("RUNNER_TEMP"),
  workspace: fromRunner("GITHUB_WORKSPACE"),
  repository: fromRunner("GITHUB_REPOSITORY"),
  runId: fromRunner("GITHUB_RUN_ID"),
  runAttempt: fromRunner("GITHUB_RUN_ATTEMPT"),
  job: fromRunner("GITHUB_JOB"),
});

export interface OidcEndpoint {
  readonly url: string;
  readonly token: string;
}

export interface MainInputs extends Omit<z.infer<typeof Main>, "broker"> {
  /** An origin, without a slash at its end: the audience of every subject token. */
  readonly broker: string;
  readonly oidc: OidcEndpoint;
  readonly runnerEnvironment: string;
}

/** All problems at once, so that one run of a workflow shows them all. */
export function readMainInputs(env: Environment): Read<MainInputs> {
  const windows =
    env["RUNNER_OS"] === "Windows" || (env["RUNNER_OS"] === undefined && process.platform === "win32");
  if (windows) {
    const problem =
      "Lanyard does not run on Windows: use a Linux or macOS runner, as in `runs-on: ubuntu-latest`.";
    return { ok: false, problems: [problem] };
  }
  const parsed = Main.safeParse({
    broker: readInput(env, "broker"),
    robot: readInput(env, "robot"),
    roles: readInput(env, "roles"),
    servers: readInput(env, "servers"),
    agents: readInput(env, "agents") || "agent",
    failOn: readInput(env, "fail-on") || "incomplete",
    runnerTemp: env["RUNNER_TEMP"],
    workspace: env["GITHUB_WORKSPACE"],
    repository: env["GITHUB_REPOSITORY"],
    runId: env["GITHUB_RUN_ID"],
    runAttempt: env["GITHUB_RUN_ATTEMPT"],
    job: env["GITHUB_JOB"],
  });
  const oidc = readOidcEndpoint(env);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.map((issue) => issue.message)),
    ...(oidc === undefined ? [ID_TOKEN_PERMISSION] : []),
    ...listProxyProblems(env),
  ];
  if (!parsed.success || oidc === undefined || parsed.data.broker === undefined || problems.length > 0)
    return { ok: false, problems };
  const { broker, ...rest } = parsed.data;
  return { ok: true, value: { ...rest, broker, oidc, runnerEnvironment: env["RUNNER_ENVIRONMENT"] ?? "" } };
}

export const ID_TOKEN_PERMISSION =
  "Lanyard needs `permissions: id-token: write` on this job, so that it can prove to the broker which job it is. Pull requests from forks and from Dependabot never get that permission.";

/** Undefined without `id-token: write`. */
function readOidcEndpoint(env: Environment): OidcEndpoint | undefined {
  const url = env["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const token = env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  return url && token && URL.canParse(url) ? { url, token } : undefined;
}

/** The files that the runner reads after this step. */
export function readFileCommandPaths(env: Environment) {
  return {
    output: env["GITHUB_OUTPUT"],
    state: env["GITHUB_STATE"],
    summary: env["GITHUB_STEP_SUMMARY"],
  };
}

/** What the proxy's process gets of the environment: no `ACTIONS_*`, no `INPUT_*`, nothing of the workflow's. */
export function selectProxyEnvironment(env: Environment): Record<string, string> {
  const ofTheUser = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
  ];
  const ofTheRunner = ["RUNNER_TRACKING_ID", "NODE_EXTRA_CA_CERTS"];
  const proxies = selectHttpProxies(env);
  return {
    ...select(env, [...ofTheUser, ...ofTheRunner]),
    ...proxies,
    ...(Object.keys(proxies).length > 0 ? { NODE_USE_ENV_PROXY: "1" } : {}),
  };
}

/** The variables that name an HTTP proxy, in both spellings that are in use. */
export function selectHttpProxies(env: Environment): Record<string, string> {
  const wrong = new Set(HTTP_PROXIES.filter((name) => env[name] && !isProxyUrl(env[name])));
  return select(
    env,
    [...HTTP_PROXIES, "NO_PROXY", "no_proxy"].filter((name) => !wrong.has(name)),
  );
}

const HTTP_PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];

/** Never quotes one: it can hold a password, and whoever stumbles over it later would print it. */
function listProxyProblems(env: Environment): string[] {
  return HTTP_PROXIES.filter((name) => env[name] && !isProxyUrl(env[name])).map(
    (name) => `The variable ${name} must be the URL of an HTTP proxy, as in http://proxy.example.com:3128.`,
  );
}

function isProxyUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** What main left for post, as far as it got. */
const State = z.object({
  marker: maybe,
  directory: maybe,
  pid: z.optional(z.pipe(z.string().check(z.regex(/^\d+$/)), z.transform(Number))),
  started: maybe,
  session: maybe,
  reviewUrl: maybe,
  control: maybe,
  controlToken: maybe,
});
type State = z.infer<typeof State>;

export interface PostInputs {
  readonly state: State;
  /** Undefined where main already said that it is not one. */
  readonly broker: string | undefined;
  readonly failOn: FailOn;
  readonly oidc: OidcEndpoint | undefined;
}

/** Never fails: what cannot be read counts as not there. */
export function readPostInputs(env: Environment): PostInputs {
  const state = State.safeParse({
    marker: env["STATE_marker"],
    directory: env["STATE_directory"],
    pid: env["STATE_pid"],
    started: env["STATE_started"],
    session: env["STATE_session"],
    reviewUrl: env["STATE_review_url"],
    control: env["STATE_control"],
    controlToken: env["STATE_control_token"],
  });
  const failOn = FailOn.safeParse(readInput(env, "fail-on"));
  return {
    state: state.success ? state.data : {},
    broker: parseOrigin(readInput(env, "broker")),
    failOn: failOn.success ? failOn.data : "incomplete",
    oidc: readOidcEndpoint(env),
  };
}

/** The runner's naming: upper case, spaces become `_`, hyphens stay; `""` when there is none. */
function readInput(env: Environment, name: string): string {
  return (env[`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`] ?? "").trim();
}

function select(env: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}

/** Undefined unless it is an https origin; plain http only on loopback, where nobody listens in between. */
function parseOrigin(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || text.replace(/\/$/, "") !== url.origin) return undefined;
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && loopback) ? url.origin : undefined;
}

/** Of roles and servers, as policy documents have them. */
function isName(name: string): boolean {
  return /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name);
}

/** Agent names become parts of file names and of output names. */
function isAgentName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,31}$/.test(name);
}
