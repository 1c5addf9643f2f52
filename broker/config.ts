/**
 * The configuration of a broker, and how `serve` reads it from the environment.
 * Every problem is reported at once, each with its variable and what to write there; no value is repeated in a message.
 */
import { env } from "node:process";
import { resolve } from "node:path";
import { z } from "zod";
import {
  type AuditStore,
  type DatabaseConfig,
  type KeysConfig,
  type ListenAddress,
  type ParsedValue,
  parseAddresses,
  parseAuditStore,
  parseDatabase,
  parseKeys,
  parseIssuers,
  parseListen,
  parseOptionalListen,
  parsePrivateIssuers,
  parsePublicUrl,
  parseRate,
  parseRetention,
} from "./config-values.ts";
import type { Limits } from "./operations/limits.ts";

export interface BrokerConfig {
  /** An origin, without a slash at its end. Undefined: the address it listens on, for tests and development. */
  readonly publicUrl: string | undefined;
  readonly listen: ListenAddress;
  /** A directory of policy documents. */
  readonly policies: string;
  readonly database: DatabaseConfig;
  readonly audit: AuditStore;
  /** Exactly as the `iss` claim says it. */
  readonly issuers: readonly string[];
  /** Those of them whose servers may have private and loopback addresses. Absent: none. */
  readonly privateIssuers?: readonly string[];
  /** The file of the sealing key, made at the first start; or the KMS key that it is made under; or several of these. */
  readonly keys: KeysConfig;
  /** Addresses and networks whose `X-Forwarded-For` is believed. Absent: none. */
  readonly trustedProxies?: readonly string[];
  /** Where metrics are served. Absent: nowhere. */
  readonly metrics?: ListenAddress | undefined;
  /** How long sessions are kept after their end. Absent or infinite: for ever. */
  readonly retentionDays?: number;
  /** Where absent, the defaults hold. */
  readonly limits?: Partial<Limits>;
}

function variable<T>(parse: (text: string) => ParsedValue<T>) {
  return z.string("it is missing").transform((text, context) => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: "custom", message: `write ${parsed.write}` });
    return z.NEVER;
  });
}

const directory = (text: string): ParsedValue<string> =>
  text === "" ? { ok: false, write: "the path of a directory" } : { ok: true, value: resolve(text) };

/** In the order in which the documentation lists them. Defaults are written as in the environment. */
const Environment = z.object({
  LANYARD_PUBLIC_URL: variable(parsePublicUrl).meta({
    description: "Where workflows and people reach the broker. It is the audience of every subject token.",
    example: "https://lanyard.acme.dev",
  }),
  LANYARD_LISTEN: variable(parseListen).prefault("127.0.0.1:8484").meta({
    description: "The address and port it listens on. TLS is ended by what stands before it.",
    example: "0.0.0.0:8484",
  }),
  LANYARD_POLICIES: variable(directory).meta({
    description: "The directory of policy documents: servers.yaml, roles.yaml and robots/.",
    example: "/etc/lanyard/policies",
  }),
  LANYARD_DATABASE: variable(parseDatabase).prefault("file:.lanyard/serve/broker.sqlite").meta({
    description:
      "The database: a SQLite file, made at the first start, for one broker; or PostgreSQL, where any number of brokers share one.",
    example: "postgres://lanyard@db.acme.dev/lanyard?sslmode=verify-full",
  }),
  LANYARD_AUDIT: variable(parseAuditStore).prefault("file:.lanyard/serve/audit").meta({
    description:
      "The bucket of the audit logs: a folder, or S3 with optional `endpoint`, `region` and `path_style=true`. Credentials come from where the AWS SDK looks for them.",
    example: "s3://acme-lanyard/audit?region=eu-central-1",
  }),
  LANYARD_ISSUERS: variable(parseIssuers).prefault("https://token.actions.githubusercontent.com").meta({
    description:
      "The issuers of subject tokens that are trusted, separated by commas, exactly as `iss` says them.",
    example: "https://token.actions.githubusercontent.com,https://github.acme.internal/_services/token",
  }),
  LANYARD_PRIVATE_ISSUERS: variable(parsePrivateIssuers).prefault("none").meta({
    description:
      "Those of LANYARD_ISSUERS whose servers are in a private network, as a GitHub Enterprise Server often is. The keys of all others are fetched from public addresses only.",
    example: "https://github.acme.internal/_services/token",
  }),
  LANYARD_KEYS: variable(parseKeys).prefault("file:.lanyard/serve/sealing-key.json").meta({
    description:
      "The sealing key: a file, made at the first start, readable by its owner only (keep a copy apart from the database); or `kms:` and the ARN, the id or the alias of a key of AWS KMS, under which the broker makes data keys that its database keeps sealed. Credentials come from where the AWS SDK looks for them. While keys move from one place to another, both with a space between: the next key is made in the first, and what those of the others sealed still opens.",
    example: "file:/etc/lanyard/sealing-key.json",
  }),
  LANYARD_TRUSTED_PROXIES: variable(parseAddresses).prefault("none").meta({
    description:
      "Addresses or networks of the load balancers, separated by commas: callers are told apart by the `X-Forwarded-For` that these send. Without it, all who come through one share a limit.",
    example: "10.0.0.0/8,fd00::/8",
  }),
  LANYARD_ADDRESS_LIMIT: variable(parseRate).prefault("600").meta({
    description:
      "Refused requests that one address may send in a minute, or `off`. What is accepted does not count.",
    example: "600",
  }),
  LANYARD_REPOSITORY_LIMIT: variable(parseRate).prefault("600").meta({
    description:
      "Subject tokens that the jobs of one repository may present in a minute, or `off`. A session needs one to start and one for each renewal.",
    example: "600",
  }),
  LANYARD_RETENTION_DAYS: variable(parseRetention).prefault("400").meta({
    description:
      "How many days after its end a session is kept in the database, with its page; or `off`: for ever. The logs in the bucket are not touched: they stay until the bucket's own rules remove them.",
    example: "400",
  }),
  LANYARD_METRICS_LISTEN: variable(parseOptionalListen).prefault("off").meta({
    description:
      "The address and port of the metrics for Prometheus, under `/metrics`; anybody who reaches it reads them.",
    example: "127.0.0.1:9464",
  }),
});

interface ConfigProblem {
  readonly variable: string;
  readonly message: string;
}

export type ReadConfig =
  | { readonly ok: true; readonly config: BrokerConfig }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Variables that are empty count as missing. */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = env): ReadConfig {
  const given = Object.entries(environment).filter(
    ([name, value]) => name in Environment.shape && value !== "",
  );
  const parsed = Environment.safeParse(Object.fromEntries(given));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) =>
      describeProblem(String(path[0]), message),
    );
    return { ok: false, problems };
  }
  const { data } = parsed;
  if (!data.LANYARD_PRIVATE_ISSUERS.every((issuer) => data.LANYARD_ISSUERS.includes(issuer))) {
    const message = "write only what LANYARD_ISSUERS has, too";
    return { ok: false, problems: [describeProblem("LANYARD_PRIVATE_ISSUERS", message)] };
  }
  return {
    ok: true,
    config: {
      publicUrl: data.LANYARD_PUBLIC_URL,
      listen: data.LANYARD_LISTEN,
      policies: data.LANYARD_POLICIES,
      database: data.LANYARD_DATABASE,
      audit: data.LANYARD_AUDIT,
      issuers: data.LANYARD_ISSUERS,
      privateIssuers: data.LANYARD_PRIVATE_ISSUERS,
      keys: data.LANYARD_KEYS,
      trustedProxies: data.LANYARD_TRUSTED_PROXIES,
      metrics: data.LANYARD_METRICS_LISTEN,
      retentionDays: data.LANYARD_RETENTION_DAYS,
      limits: {
        addressPerMinute: data.LANYARD_ADDRESS_LIMIT,
        repositoryPerMinute: data.LANYARD_REPOSITORY_LIMIT,
      },
    },
  };
}

/** What commands need that only open the database. */
export function readDatabaseConfig(
  environment: Readonly<Record<string, string | undefined>> = env,
): { readonly ok: true; readonly database: BrokerConfig["database"] } | Extract<ReadConfig, { ok: false }> {
  const { LANYARD_DATABASE: text } = environment;
  const parsed = Environment.shape.LANYARD_DATABASE.safeParse(text === "" ? undefined : text);
  if (parsed.success) return { ok: true, database: parsed.data };
  const message = parsed.error.issues[0]?.message ?? "";
  return { ok: false, problems: [describeProblem("LANYARD_DATABASE", message)] };
}

/** What commands need besides that open what the broker sealed. */
export function readKeysConfig(
  environment: Readonly<Record<string, string | undefined>> = env,
): { readonly ok: true; readonly keys: KeysConfig } | Extract<ReadConfig, { ok: false }> {
  const { LANYARD_KEYS: text } = environment;
  const parsed = Environment.shape.LANYARD_KEYS.safeParse(text === "" ? undefined : text);
  if (parsed.success) return { ok: true, keys: parsed.data };
  return { ok: false, problems: [describeProblem("LANYARD_KEYS", parsed.error.issues[0]?.message ?? "")] };
}

/** For commands that send people to the broker. */
export function readPublicUrl(
  environment: Readonly<Record<string, string | undefined>> = env,
): { readonly ok: true; readonly publicUrl: string } | Extract<ReadConfig, { ok: false }> {
  const parsed = Environment.shape.LANYARD_PUBLIC_URL.safeParse(
    environment["LANYARD_PUBLIC_URL"] || undefined,
  );
  if (parsed.success) return { ok: true, publicUrl: parsed.data };
  const message = parsed.error.issues[0]?.message ?? "";
  return { ok: false, problems: [describeProblem("LANYARD_PUBLIC_URL", message)] };
}

/** Whether a browser that a command starts has somewhere to show itself. */
export function hasDisplay(environment: Readonly<Record<string, string | undefined>> = env): boolean {
  return ["DISPLAY", "WAYLAND_DISPLAY"].some((name) => (environment[name] ?? "") !== "");
}

/** For commands that ask GitHub: the variables that GitHub's own tools read, where they are set. */
export function readGithubConfig(environment: Readonly<Record<string, string | undefined>> = env): {
  readonly token: string | undefined;
  readonly apiUrl: string;
} {
  return {
    token: environment["GITHUB_TOKEN"] || undefined,
    apiUrl: environment["GITHUB_API_URL"] || "https://api.github.com",
  };
}

/** For commands that verify what a broker would, without one: what is not set or not right is left out. */
export function readTrustConfig(environment: Readonly<Record<string, string | undefined>> = env): {
  readonly issuers: readonly string[];
  readonly privateIssuers: readonly string[];
  readonly audience: string | undefined;
} {
  const given = (name: "LANYARD_ISSUERS" | "LANYARD_PRIVATE_ISSUERS" | "LANYARD_PUBLIC_URL") =>
    environment[name] || undefined;
  const { shape } = Environment;
  return {
    issuers: shape.LANYARD_ISSUERS.safeParse(given("LANYARD_ISSUERS")).data ?? [],
    privateIssuers: shape.LANYARD_PRIVATE_ISSUERS.safeParse(given("LANYARD_PRIVATE_ISSUERS")).data ?? [],
    audience: shape.LANYARD_PUBLIC_URL.safeParse(given("LANYARD_PUBLIC_URL")).data,
  };
}

/** For commands that work on policies without a broker. */
export function readPoliciesDirectory(
  environment: Readonly<Record<string, string | undefined>> = env,
): string {
  return environment["LANYARD_POLICIES"] || "policies";
}

function describeProblem(name: string, message: string): ConfigProblem {
  const documented = listVariables().find((each) => each.name === name);
  return {
    variable: name,
    message: documented === undefined ? message : `${message} (for example ${documented.example})`,
  };
}

export interface DocumentedVariable {
  readonly name: string;
  readonly description: string;
  readonly example: string;
  /** Undefined: it has to be set. */
  readonly default: string | undefined;
}

const Documentation = z.object({ description: z.string(), example: z.string() });
const Prefault = z.object({ def: z.object({ type: z.literal("prefault"), defaultValue: z.string() }) });

/** For the documentation, which is generated from it. */
export function listVariables(): DocumentedVariable[] {
  return Object.entries(Environment.shape).map(([name, schema]) => ({
    name,
    ...Documentation.parse(schema.meta()),
    default: Prefault.safeParse(schema).data?.def.defaultValue,
  }));
}
