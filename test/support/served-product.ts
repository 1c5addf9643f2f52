/**
 * The product as a team has it, for one repository: `lanyard serve` as a process of its own, the commands of an
 * administrator, GitHub's stand-in, and jobs under the runner's rules. What the broker says is kept.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job } from "../../dev/claims.ts";
import { startDevIssuer } from "../../dev/issuer.ts";
import { type JobResult, runJob, type Step } from "../../dev/runner.ts";
import { variablesOfJob } from "../../dev/runner/job-variables.ts";
import { buildAction } from "./built-action.ts";
import { compileCache } from "./compile-cache.ts";
import { type RecordingPipe, openRecordingPipe } from "./recording-pipe.ts";

const COMMAND = join(import.meta.dirname, "../../bin/lanyard.js");

const JOB: Job = {
  repository: "acme/payments",
  repositoryId: "456789",
  ownerId: "123456",
  workflow: ".github/workflows/triage.yml",
  workflowName: "triage",
  event: "schedule",
  ref: "refs/heads/main",
  sha: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
  runId: "4711",
  runNumber: "1",
  runAttempt: "1",
  checkRunId: "4712",
  actor: "octocat",
  actorId: "583231",
};

export interface ServedProduct {
  /** The public URL, which is the pipe's. */
  readonly url: string;
  readonly pipe: RecordingPipe;
  readonly directory: string;
  readonly metricsUrl: string;
  /** Standard output and error of the broker so far. */
  said(): string;
  /** What the runner lets a job ask its OIDC token with. */
  readonly requestToken: string;
  /** `lanyard …` beside the broker; `input` comes over its standard input. Its outputs, one after the other. */
  run(args: readonly string[], input?: string): Promise<string>;
  /** `Lanyard first`, then these. */
  play(steps: readonly Step[]): Promise<JobResult>;
  close(): Promise<void>;
}

export interface ServedProductOptions {
  readonly servers: string;
  readonly roles: string;
  /** Besides the broker's own. */
  readonly environment: Readonly<Record<string, string>>;
}

export async function serveProduct(options: ServedProductOptions): Promise<ServedProduct> {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-product-"));
  const issuer = await startDevIssuer({ port: 0 });
  const pipe = await openRecordingPipe();
  const action = await buildAction();
  const robots = `issuer: ${issuer.url}
repository: acme/payments
repository_id: "456789"
repository_owner_id: "123456"
robots:
  triager:
    bindings:
      - { workflow: .github/workflows/triage.yml, events: [schedule], ref: refs/heads/main, roles: [agent] }
    session: { ttl: 15m, max: 2h }
`;
  await mkdir(join(directory, "policies", "robots", "acme"), { recursive: true });
  await writeFile(join(directory, "policies", "servers.yaml"), options.servers);
  await writeFile(join(directory, "policies", "roles.yaml"), options.roles);
  await writeFile(join(directory, "policies", "robots", "acme", "payments.yaml"), robots);
  const environment = {
    PATH: process.env["PATH"] ?? "",
    ...compileCache,
    LANYARD_PUBLIC_URL: pipe.url,
    LANYARD_LISTEN: "127.0.0.1:0",
    LANYARD_METRICS_LISTEN: "127.0.0.1:0",
    LANYARD_POLICIES: join(directory, "policies"),
    LANYARD_DATABASE: `file:${join(directory, "broker.sqlite")}`,
    LANYARD_AUDIT: `file:${join(directory, "audit")}`,
    LANYARD_ISSUERS: issuer.url,
    LANYARD_PRIVATE_ISSUERS: issuer.url,
    LANYARD_KEYS: `file:${join(directory, "sealing-key.json")}`,
  };
  const lanyard = (args: readonly string[], own: Readonly<Record<string, string>> = {}): ChildProcess =>
    spawn(process.execPath, [COMMAND, ...args], { cwd: directory, env: { ...environment, ...own } });
  const serve = lanyard(["serve", "--log-level", "debug"], options.environment);
  const said = listenTo(serve);
  const [port = "", metricsUrl = ""] = await waitFor(said, serve, [
    /listening on 127\.0\.0\.1:([0-9]+)/,
    /Metrics: (\S+)/,
  ]);
  pipe.leadTo(Number(port));

  const admitted = issuer.admit(JOB);
  return {
    ...{ url: pipe.url, pipe, directory, metricsUrl, said },
    requestToken: admitted.ACTIONS_ID_TOKEN_REQUEST_TOKEN,
    run: async (args, input = "") => {
      const child = lanyard(args);
      const heard = listenTo(child);
      child.stdin?.end(input);
      await once(child, "close");
      return heard();
    },
    play: async (steps) =>
      runJob({
        steps: [
          { id: "lanyard", uses: action.directory, with: { broker: pipe.url, robot: "triager" } },
          ...steps,
        ],
        folder: join(directory, "job"),
        environment: {
          ...variablesOfJob(JOB),
          ...admitted,
          PATH: process.env["PATH"] ?? "",
          HOME: directory,
        },
      }),
    close: async () => {
      if (serve.exitCode === null && serve.signalCode === null) {
        serve.kill("SIGTERM");
        await once(serve, "exit");
      }
      await pipe.close();
      await issuer.close();
      action.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function listenTo(child: ChildProcess): () => string {
  let heard = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
    });
  }
  return () => heard;
}

/** The first group of each, once all of them were said. */
async function waitFor(
  said: () => string,
  child: ChildProcess,
  patterns: readonly RegExp[],
): Promise<string[]> {
  for (;;) {
    const found = patterns.map((pattern) => pattern.exec(said())?.[1]);
    const known = found.filter((each) => each !== undefined);
    if (known.length === found.length) return known;
    if (child.exitCode !== null) throw new Error(`the broker did not start: ${said()}`);
    await Promise.race([once(child.stderr ?? child, "data"), once(child, "exit")]);
  }
}
