/**
 * What the path of docs/policies.md needs around its commands: a repository with policy documents, a broker that reads
 * what was merged, GitHub's stand-in, and jobs with an agent whose calls are known. Real servers from npm, real logs.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { chmod, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { type RunningBroker, startBroker } from "../../broker/server.ts";
import type { Job } from "../../dev/claims.ts";
import { startDevIssuer } from "../../dev/issuer.ts";
import { runJob } from "../../dev/runner.ts";
import { variablesOfJob } from "../../dev/runner/job-variables.ts";
import { connectAgent } from "../support/agents.ts";
import { buildAction } from "../support/built-action.ts";
import { startEverythingServer } from "../support/mcp-everything-server.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const execute = promisify(execFile);

/** What the document calls it, and what it is here. */
const BROKER = "https://lanyard.acme.dev";
const ISSUER = "https://token.actions.githubusercontent.com";
const STARTER_SERVER = "http://127.0.0.1:8486/mcp";

/** A tool, and its arguments; `{workspace}` stands for the job's. */
export type AgentCall = readonly [server: string, tool: string, args: Record<string, string | number>];

interface Printed {
  readonly exitCode: number | null;
  /** With the document's words for what is another each time. */
  readonly output: string;
}

export interface PolicyPath {
  /** The policy directory that is worked on. */
  readonly policies: string;
  /** Runs a command of the document where the repository is. */
  type(command: string): Promise<Printed>;
  /** Commits what is there, and waits until the broker has read it. */
  merge(): Promise<void>;
  /** One run of the workflow: what each call was answered, in order. */
  playRun(runId: string, calls: readonly AgentCall[]): Promise<string[]>;
  close(): Promise<void>;
}

export async function openPolicyPath(): Promise<PolicyPath> {
  // Inside the clone, where npx finds the servers that are installed with it.
  const directory = join(ROOT, ".lanyard", `docs-${randomUUID()}`);
  const repository = join(directory, "repository");
  const policies = join(repository, "policies");
  const deployed = join(directory, "deployed");
  const audit = join(repository, "audit");
  const closing: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const each of closing.splice(0).reverse()) await each();
  };
  try {
    await mkdir(repository, { recursive: true });
    const issuer = await startDevIssuer({ port: 0 });
    closing.push(() => issuer.close());
    const everything = await startEverythingServer();
    closing.push(() => everything.close());
    const action = await buildAction();
    closing.push(() => action.remove());

    await cp(join(ROOT, "policies", "starter"), policies, { recursive: true });
    const servers = await readFile(join(policies, "servers.yaml"), "utf8");
    await writeFile(join(policies, "servers.yaml"), servers.replaceAll(STARTER_SERVER, everything.url));
    await writeFile(join(repository, ".gitignore"), "audit/\n");
    await git(repository, "init", "--quiet", "--initial-branch", "main");
    await commit(repository);
    await cp(policies, deployed, { recursive: true });

    const broker = await startBroker({
      config: {
        publicUrl: undefined,
        listen: { host: "127.0.0.1", port: 0 },
        policies: deployed,
        database: { kind: "sqlite", path: join(directory, "broker.sqlite") },
        audit: { kind: "folder", path: audit },
        issuers: [issuer.url],
        keys: join(directory, "sealing-key.json"),
      },
    });
    closing.push(() => broker.close());
    const bin = await writeCommand(directory);
    const environment = { PATH: `${bin}:${process.env["PATH"]}`, HOME: process.env["HOME"] ?? directory };

    return {
      policies,
      type: async (command) => {
        const typed = command.replaceAll(BROKER, broker.url).replaceAll(ISSUER, issuer.url);
        const { exitCode, output } = await runShell(typed, { cwd: repository, environment });
        return { exitCode, output: output.replaceAll(broker.url, BROKER).replaceAll(issuer.url, ISSUER) };
      },
      merge: async () => {
        await commit(repository);
        const before = await readDigest(broker);
        await cp(policies, deployed, { recursive: true });
        await waitFor(async () => (await readDigest(broker)) !== before);
      },
      playRun: async (runId, calls) => {
        const job = jobOf(runId);
        const answers: string[] = [];
        const result = await runJob({
          folder: join(directory, "job", runId),
          environment: { ...variablesOfJob(job), ...issuer.admit(job), ...environment },
          steps: [
            { id: "lanyard", uses: action.directory, with: { broker: broker.url, robot: "triager" } },
            {
              call: async ({ outputs, workspace }) => {
                await writeFile(join(workspace, "ISSUE.md"), "# Totals are wrong\n");
                answers.push(...(await makeCalls(calls, outputs("lanyard")["mcp-config"] ?? "", workspace)));
              },
            },
          ],
        });
        if (result.conclusion !== "success") {
          throw new Error(
            `the job ended with ${result.conclusion}: ${result.steps.map((s) => s.output).join("")}`,
          );
        }
        return answers;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function makeCalls(calls: readonly AgentCall[], config: string, workspace: string): Promise<string[]> {
  const agents = new Map<string, Awaited<ReturnType<typeof connectAgent>>>();
  const answers: string[] = [];
  for (const [server, tool, given] of calls) {
    const agent = agents.get(server) ?? (await connectAgent(config, server, "first"));
    agents.set(server, agent);
    const filled = Object.entries(given).map(([name, value]) => [
      name,
      typeof value === "string" ? value.replace("{workspace}", workspace) : value,
    ]);
    answers.push(await agent.call(tool, Object.fromEntries(filled)));
  }
  for (const agent of agents.values()) await agent.close();
  return answers;
}

function jobOf(runId: string): Job {
  return {
    repository: "acme/payments",
    repositoryId: "456789",
    ownerId: "123456",
    workflow: ".github/workflows/triage.yml",
    workflowName: "triage",
    event: "schedule",
    ref: "refs/heads/main",
    sha: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
    runId,
    runNumber: "1",
    runAttempt: "1",
    checkRunId: `${runId}1`,
    actor: "octocat",
    actorId: "583231",
  };
}

/** `lanyard`, which the document makes an alias for. */
async function writeCommand(directory: string): Promise<string> {
  const bin = join(directory, "bin");
  const path = join(bin, "lanyard");
  await mkdir(bin);
  await writeFile(path, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, "bin", "lanyard.js")}" "$@"\n`);
  await chmod(path, 0o755);
  return bin;
}

async function runShell(
  command: string,
  { cwd, environment }: { cwd: string; environment: Record<string, string> },
): Promise<Printed> {
  const child = spawn("sh", ["-c", `exec 2>&1\n${command}`], {
    cwd,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const output = Buffer.concat(await Array.fromAsync(child.stdout)).toString();
  await exited;
  return { exitCode: child.exitCode, output };
}

async function git(cwd: string, ...args: string[]): Promise<void> {
  const identity = [
    "-c",
    "user.name=author",
    "-c",
    "user.email=author@acme.dev",
    "-c",
    "commit.gpgsign=false",
  ];
  // Nothing of a git that runs these tests in a hook: its variables name another repository.
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"] };
  await execute("git", [...identity, ...args], { cwd, env });
}

async function commit(repository: string): Promise<void> {
  await git(repository, "add", "--all");
  await git(repository, "commit", "--quiet", "--no-verify", "--message", "Policies");
}

const Readiness = z.object({ policies: z.object({ digest: z.string() }) });

async function readDigest({ url }: RunningBroker): Promise<string> {
  const answer = await fetch(new URL("/readyz", url));
  return Readiness.parse(await answer.json()).policies.digest;
}

async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}
