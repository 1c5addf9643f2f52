/**
 * A whole world for one run: a listening broker, GitHub's stand-in, policies, and jobs under the runner's rules.
 * The Action in it is built from the sources as they are now.
 */
import { randomInt } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuditStore } from "../../broker/config-values.ts";
import { startBroker, type RunningBroker } from "../../broker/server.ts";
import type { Job } from "../../dev/claims.ts";
import { startDevIssuer, type DevIssuer } from "../../dev/issuer.ts";
import { runJob, type ActionStep, type JobOptions, type JobResult, type Step } from "../../dev/runner.ts";
import { variablesOfJob } from "../../dev/runner/job-variables.ts";
import { buildAction } from "./built-action.ts";

export interface WorldOptions {
  /** The text of servers.yaml below `servers:`, indented by two. */
  readonly servers: string;
  /** The text of roles.yaml below `roles:`, indented by two. */
  readonly roles: string;
  /** The one that the robot holds. Default `agent`. */
  readonly role?: string;
  readonly audit?: (directory: string) => AuditStore;
  readonly session?: string;
  /** Where something else stands before the broker. By default the address that it listens on. */
  readonly publicUrl?: string;
}

export interface World {
  readonly broker: RunningBroker;
  readonly issuer: DevIssuer;
  readonly directory: string;
  /** Milliseconds by which the broker's clock runs ahead. */
  advance(milliseconds: number): void;
  /** A new run of the sample repository. */
  newJob(overrides?: Partial<Job>): Job;
  /** What every step of this job finds in its environment. */
  environmentOf(job: Job): Record<string, string>;
  /** `Lanyard first` as a workflow has it. */
  readonly lanyard: ActionStep;
  play(steps: readonly Step[], options?: PlayOptions): Promise<JobResult>;
  /** A page or an answer of the API, as a person who is logged in gets it. */
  visit(path: string): Promise<{ status: number; text: string }>;
  close(): Promise<void>;
}

export interface PlayOptions extends Partial<Omit<JobOptions, "steps">> {
  readonly job?: Job;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-world-"));
  const issuer = await startDevIssuer({ port: 0 });
  const action = await buildAction();
  const policies = join(directory, "policies");
  await mkdir(join(policies, "robots", "acme"), { recursive: true });
  await writeFile(join(policies, "servers.yaml"), `servers:\n${options.servers}`);
  await writeFile(join(policies, "roles.yaml"), `roles:\n${options.roles}`);
  await writeFile(join(policies, "robots", "acme", "payments.yaml"), robotsDocument(issuer.url, options));

  let ahead = 0;
  const broker = await startBroker({
    config: {
      publicUrl: options.publicUrl,
      listen: { host: "127.0.0.1", port: 0 },
      policies,
      database: { kind: "sqlite", path: join(directory, "broker.sqlite") },
      audit: options.audit?.(directory) ?? { kind: "folder", path: join(directory, "audit") },
      issuers: [issuer.url],
      keys: join(directory, "sealing-key.json"),
    },
    login: "one_time_link",
    now: () => Date.now() + ahead,
  });
  const newJob = (overrides: Partial<Job> = {}): Job => ({
    repository: "acme/payments",
    repositoryId: "456789",
    ownerId: "123456",
    workflow: ".github/workflows/triage.yml",
    workflowName: "triage",
    event: "schedule",
    ref: "refs/heads/main",
    sha: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
    runId: String(randomInt(1, 2 ** 40)),
    runNumber: "1",
    runAttempt: "1",
    checkRunId: String(randomInt(1, 2 ** 40)),
    actor: "octocat",
    actorId: "583231",
    ...overrides,
  });

  const environmentOf = (job: Job): Record<string, string> => ({
    ...variablesOfJob(job),
    ...issuer.admit(job),
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? directory,
  });

  return {
    broker,
    issuer,
    directory,
    environmentOf,
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
    newJob,
    lanyard: { id: "lanyard", uses: action.directory, with: { broker: broker.url, robot: "triager" } },
    play: async (steps, { job = newJob(), environment = {}, ...rest } = {}) =>
      runJob({
        steps,
        folder: join(directory, "job", job.runId),
        ...rest,
        environment: { ...environmentOf(job), ...environment },
      }),
    visit: (path) => visit(broker, path),
    close: async () => {
      await broker.close();
      await issuer.close();
      action.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function visit(broker: RunningBroker, path: string): Promise<{ status: number; text: string }> {
  const login = await fetch(broker.loginUrl(path), { redirect: "manual" });
  const cookie = login.headers
    .getSetCookie()
    .map((each) => each.split(";")[0])
    .join("; ");
  const answer = await fetch(new URL(path, broker.url), { headers: { cookie } });
  return { status: answer.status, text: await answer.text() };
}

function robotsDocument(
  issuer: string,
  { role = "agent", session = "{ ttl: 15m, max: 2h }" }: Pick<WorldOptions, "role" | "session">,
): string {
  return `issuer: ${issuer}
repository: acme/payments
repository_id: "456789"
repository_owner_id: "123456"
robots:
  triager:
    bindings:
      - workflow: .github/workflows/triage.yml
        events: [schedule, workflow_dispatch]
        ref: refs/heads/main
        roles: [${role}]
    session: ${session}
`;
}
