/**
 * A broker that really listens, for tests: policies of two robots, an issuer under the test's control, a clock that
 * can be moved, and every log line kept.
 */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrokerConfig } from "../../broker/config.ts";
import type { AuditStore } from "../../broker/config-values.ts";
import type { Credentials } from "../../broker/credentials/presenting.ts";
import type { Resolve } from "../../broker/egress/address-guard.ts";
import { type RunningBroker, startBroker } from "../../broker/server.ts";
import { createDatabase } from "./database-choice.ts";
import { type ScriptedIssuer, startScriptedIssuer } from "./scripted-issuer.ts";

/** The sealing key is a file. */
type FileConfig = BrokerConfig & { readonly keys: string };

export interface TestBroker {
  readonly broker: RunningBroker;
  readonly url: string;
  readonly issuer: ScriptedIssuer;
  readonly config: FileConfig;
  readonly directory: string;
  /** Parsed log lines. */
  readonly logged: Record<string, unknown>[];
  /** Moves the broker's clock forward. */
  advance(milliseconds: number): void;
  now(): number;
  /** A subject token of a job of acme/payments; `overrides` replace claims, undefined removes one. */
  subjectToken(overrides?: Record<string, unknown>): Promise<string>;
  /** The last refusal that was logged. */
  lastRefusal(): { code: string; detail: string };
  /** Stops the broker and starts another on what it left; the address changes, the public URL does not. */
  restart(): Promise<TestBroker>;
  close(): Promise<void>;
}

export interface TestBrokerOptions {
  readonly audit?: AuditStore;
  /** By their path; the issuer's URL is known only when it listens. */
  readonly files?: Record<string, string> | ((issuer: string) => Record<string, string>);
  /** In place of one at 127.0.0.1. The broker's end is its end. */
  readonly issuer?: ScriptedIssuer;
  /** What is different about the configuration. */
  readonly config?: (issuer: string) => Partial<FileConfig>;
  /** Finds the addresses of issuers. */
  readonly resolve?: Resolve;
  /** What the relay presents to servers. */
  readonly credentials?: Credentials;
}

export const SERVERS = `
servers:
  everything: { url: "http://127.0.0.1:9/mcp", tools: { echo: { read_only: true } } }
  files: { command: [node, server.js, "{workspace}"], env: { HOME: "{runner_temp}" }, start: lazy }
  unused: { url: "http://127.0.0.1:9/unused" }
`;
export const ROLES = `
roles:
  reader: { grants: [{ server: everything, tools: [echo] }] }
  writer: { grants: [{ server: files, tools: ["write_*"], when: "args.path == 'a'" }] }
  unused: { grants: [{ server: unused, tools: ["*"] }] }
`;

export function robotsDocument(issuer: string): string {
  return `
issuer: ${issuer}
repository: acme/payments
repository_id: "456789"
repository_owner_id: "123456"
robots:
  triager:
    bindings:
      - { workflow: .github/workflows/triage.yml, events: [schedule, workflow_dispatch], ref: refs/heads/main, roles: [reader, writer] }
    session: { ttl: 15m, max: 2h }
  sleeper:
    bindings:
      - { workflow: .github/workflows/sleep.yml, events: [schedule], ref: refs/heads/main, roles: [reader] }
`;
}

export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-broker-"));
  const issuer = options.issuer ?? (await startScriptedIssuer());
  const files = {
    "servers.yaml": SERVERS,
    "roles.yaml": ROLES,
    "robots/acme/payments.yaml": robotsDocument(issuer.url),
    ...(typeof options.files === "function" ? options.files(issuer.url) : options.files),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(directory, "policies", path, ".."), { recursive: true });
    await writeFile(join(directory, "policies", path), text);
  }
  const config: FileConfig = {
    publicUrl: undefined,
    listen: { host: "127.0.0.1", port: 0 },
    policies: join(directory, "policies"),
    database: await createDatabase(directory),
    audit: options.audit ?? { kind: "folder", path: join(directory, "audit") },
    issuers: [issuer.url],
    keys: join(directory, "sealing-key.json"),
    // All tests are one address and one repository: limits are for those that are about them.
    limits: { addressPerMinute: Number.POSITIVE_INFINITY, repositoryPerMinute: Number.POSITIVE_INFINITY },
    ...options.config?.(issuer.url),
  };
  const { resolve, credentials } = options;
  return open({ config, issuer, directory, resolve, credentials }, { offset: 0 });
}

type Parts = Pick<TestBroker, "config" | "issuer" | "directory"> & {
  readonly resolve: Resolve | undefined;
  readonly credentials: Credentials | undefined;
};

async function open(parts: Parts, clock: { offset: number }): Promise<TestBroker> {
  const { config, issuer, directory, resolve, credentials } = parts;
  const logged: Record<string, unknown>[] = [];
  const now = (): number => Date.now() + clock.offset;
  const broker = await startBroker({
    config,
    now,
    ...(resolve === undefined ? {} : { resolve }),
    ...(credentials === undefined ? {} : { credentials }),
    log: { level: "debug", write: (line) => void logged.push(JSON.parse(line)) },
  });
  const { host, port } = broker.address;
  return {
    broker,
    url: broker.url,
    issuer,
    config,
    directory,
    logged,
    advance: (milliseconds) => {
      clock.offset += milliseconds;
    },
    now,
    subjectToken: async (overrides = {}) =>
      issuer.sign({ ...claimsOfJob(issuer.url, broker.url, now()), ...overrides }),
    lastRefusal: () => {
      const refusal = logged.findLast((line) => line["msg"] === "refused");
      return { code: String(refusal?.["code"]), detail: String(refusal?.["detail"]) };
    },
    restart: async () => {
      await broker.close();
      return open({ ...parts, config: { ...config, publicUrl: broker.url, listen: { host, port } } }, clock);
    },
    close: async () => {
      await broker.close();
      await issuer.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** As GitHub sends them, of a job that the robot `triager` is bound to. */
export function claimsOfJob(iss: string, aud: string, nowMs: number): Record<string, unknown> {
  const now = Math.floor(nowMs / 1000);
  return {
    jti: randomUUID(),
    sub: "repo:acme@123456/payments@456789:ref:refs/heads/main",
    aud,
    iss,
    nbf: now - 10,
    iat: now,
    exp: now + 300,
    ref: "refs/heads/main",
    ref_type: "branch",
    sha: "0123456789abcdef0123456789abcdef01234567",
    repository: "acme/payments",
    repository_owner: "acme",
    repository_id: "456789",
    repository_owner_id: "123456",
    repository_visibility: "private",
    run_id: "1001",
    run_number: "7",
    run_attempt: "1",
    check_run_id: "5001",
    actor: "octocat",
    actor_id: "583231",
    workflow: "triage",
    workflow_ref: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
    job_workflow_ref: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
    head_ref: "",
    base_ref: "",
    event_name: "schedule",
    runner_environment: "github-hosted",
  };
}
