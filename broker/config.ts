/**
 * The configuration of a broker, and how `serve` reads it from the environment.
 * Every problem is reported at once, each with its variable and what to write there; no value is repeated in a message.
 */
import { env } from "node:process";
import { resolve } from "node:path";
import { z } from "zod";
import { parseAuditStore, parseFileUrl, parseIssuers, parseListen, parsePublicUrl } from "./config-values.ts";

export type AuditStore =
  | { readonly kind: "folder"; readonly path: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      /** Empty, or without a slash at either end. */
      readonly prefix: string;
      readonly endpoint: string | undefined;
      readonly region: string | undefined;
      readonly pathStyle: boolean;
    };

export interface BrokerConfig {
  /** An origin, without a slash at its end. Undefined: the address it listens on, for tests and development. */
  readonly publicUrl: string | undefined;
  readonly listen: { readonly host: string; readonly port: number };
  /** A directory of policy documents. */
  readonly policies: string;
  readonly database: { readonly kind: "sqlite"; readonly path: string };
  readonly audit: AuditStore;
  /** Exactly as the `iss` claim says it. */
  readonly issuers: readonly string[];
  /** The file of the sealing key; made at the first start. */
  readonly keys: string;
}

/** A value of a variable, or the sentence that says what to write. */
export type ParsedValue<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly write: string };

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
  LANYARD_DATABASE: variable(parseFileUrl).prefault("file:.lanyard/serve/broker.sqlite").meta({
    description: "The SQLite database; made at the first start.",
    example: "file:/var/lib/lanyard/broker.sqlite",
  }),
  LANYARD_AUDIT: variable(parseAuditStore).prefault("file:.lanyard/serve/audit").meta({
    description:
      "The bucket of the audit logs: a folder, or S3 with optional `endpoint`, `region` and `path_style=true`. Credentials come from where the AWS SDK looks for them.",
    example: "s3://acme-lanyard/audit?region=eu-central-1",
  }),
  LANYARD_ISSUERS: variable(parseIssuers).prefault("https://token.actions.githubusercontent.com").meta({
    description:
      "The issuers of subject tokens that are trusted, separated by commas, exactly as `iss` says them.",
    example: "https://token.actions.githubusercontent.com",
  }),
  LANYARD_KEYS: variable(parseFileUrl).prefault("file:.lanyard/serve/sealing-key.json").meta({
    description:
      "The sealing key; made at the first start, readable by its owner only. Keep a copy apart from the database.",
    example: "file:/etc/lanyard/sealing-key.json",
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
  return {
    ok: true,
    config: {
      publicUrl: data.LANYARD_PUBLIC_URL,
      listen: data.LANYARD_LISTEN,
      policies: data.LANYARD_POLICIES,
      database: { kind: "sqlite", path: data.LANYARD_DATABASE },
      audit: data.LANYARD_AUDIT,
      issuers: data.LANYARD_ISSUERS,
      keys: data.LANYARD_KEYS,
    },
  };
}

/** What commands need that only open the database. */
export function readDatabaseConfig(
  environment: Readonly<Record<string, string | undefined>> = env,
): { readonly ok: true; readonly database: BrokerConfig["database"] } | Extract<ReadConfig, { ok: false }> {
  const { LANYARD_DATABASE: text } = environment;
  const parsed = Environment.shape.LANYARD_DATABASE.safeParse(text === "" ? undefined : text);
  if (parsed.success) return { ok: true, database: { kind: "sqlite", path: parsed.data } };
  const message = parsed.error.issues[0]?.message ?? "";
  return { ok: false, problems: [describeProblem("LANYARD_DATABASE", message)] };
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
