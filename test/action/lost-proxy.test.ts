/** The proxy dies while the job runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSessionLog } from "../../action/guard/session-log.ts";
import { RunView } from "../../broker/review/view.ts";
import { findStep, type JobResult, type Step } from "../../dev/runner.ts";
import { connectAgent } from "../support/agents.ts";
import { startCustodyPeer } from "./custody-peer.ts";
import { startLocalServer } from "./local-server.ts";
import { call, genesis } from "./log-entries.ts";
import { type ScenarioWorld, logOf, privateDirectory, startScenarioWorld } from "./scenario-world.ts";
import { sessionDocument } from "./session-document.ts";

let world: ScenarioWorld;
beforeAll(async () => {
  world = await startScenarioWorld();
});
afterAll(() => world.close());

interface Death {
  readonly inputs?: Record<string, string>;
  /** What happens to the proxy, and to what it leaves. */
  readonly deed: (proxy: number, directory: string) => void;
}

/** A job whose agent makes two calls and then does the deed. */
async function playDeath({ inputs = {}, deed }: Death): Promise<{ result: JobResult; runnerTemp: string }> {
  let temp = "";
  const agent: Step = {
    call: async ({ outputs, runnerTemp }) => {
      temp = runnerTemp;
      const connected = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", "files", "first");
      await connected.listTools();
      await connected.call("echo", { n: 1 });
      await connected.call("hidden", {});
      deed(proxyOf(runnerTemp), privateDirectory(runnerTemp));
      await connected.close().catch(() => undefined);
    },
  };
  const result = await world.play([world.use(inputs), agent]);
  return { result, runnerTemp: temp };
}

/** The process that works in the private directory itself; its servers work below it. */
function proxyOf(runnerTemp: string): number {
  const directory = privateDirectory(runnerTemp);
  const proxies = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && cwdOf(name) === directory);
  if (proxies.length !== 1) throw new Error(`${proxies.length} proxies work in ${directory}`);
  return Number(proxies[0]);
}

/** Again and again, as the runner, post and an impatient person do together. */
function tellToEnd(proxy: number): void {
  const sleeping = new Int32Array(new SharedArrayBuffer(4));
  for (let times = 0; times < 10 && existsSync(`/proc/${proxy}/cwd`); times += 1) {
    process.kill(proxy, "SIGTERM");
    Atomics.wait(sleeping, 0, 0, 5);
  }
}

function cwdOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

const viewOf = async (result: JobResult) => {
  const url = new URL(findStep(result, "lanyard").outputs["review-url"] ?? "");
  return RunView.parse(JSON.parse((await world.visit(`/api${url.pathname}`)).text));
};

describe("kill -9 of the proxy between two calls", () => {
  it("post recovers what was recorded, and the job is told that nobody witnessed it", async () => {
    const { result, runnerTemp } = await playDeath({ deed: (proxy) => process.kill(proxy, "SIGKILL") });
    expect(result.conclusion, logOf(result)).toBe("failure");
    const post = findStep(result, "lanyard", "post");
    const [annotation] = post.annotations;
    expect(annotation?.level).toBe("error");
    expect(annotation?.message).toMatch(
      /^The log of this job is incomplete: the proxy ended before the job did\. \d+ records were recovered from the runner; nobody witnessed them when they were made\. Review: http/,
    );
    expect(post.summary).toContain("**The log is incomplete:** the proxy ended before the job did.");
    expect(post.summary).toContain("2 calls: 1 allowed, 1 denied");
    const view = await viewOf(result);
    expect(view.status).toBe("incomplete");
    expect(view.calls.rows.map(({ tool, decision }) => [tool, decision])).toEqual([
      ["echo", "allow"],
      ["hidden", "deny"],
    ]);
    expect(result.leftovers).toEqual([]);
    expect(readdirSync(runnerTemp)).toEqual(["_runner_file_commands"]);
  });

  it("only warns with fail-on: never, and still says it", async () => {
    const { result } = await playDeath({
      inputs: { "fail-on": "never" },
      deed: (proxy) => process.kill(proxy, "SIGKILL"),
    });
    expect(result.conclusion).toBe("success");
    const [annotation] = findStep(result, "lanyard", "post").annotations;
    expect(annotation).toMatchObject({ level: "warning", message: expect.stringContaining("is incomplete") });
  });

  it("a torn last line does not keep the rest from being recovered", async () => {
    const { result } = await playDeath({
      deed: (proxy, directory) => {
        process.kill(proxy, "SIGKILL");
        const spool = join(directory, "spool.jsonl");
        truncateSync(spool, readFileSync(spool).length - 7);
      },
    });
    expect(findStep(result, "lanyard", "post").annotations[0]?.message).toContain("were recovered");
  });
});

it("a proxy that is told to end seals its log first; post asks the broker whether it did", async () => {
  const { result } = await playDeath({ deed: tellToEnd });
  const [annotation] = findStep(result, "lanyard", "post").annotations;
  expect(result.conclusion, logOf(result)).toBe("success");
  expect(annotation).toMatchObject({ level: "warning" });
  expect(annotation?.message).toContain("complete and sealed, but the proxy was ended before the job was");
  expect((await viewOf(result)).status).toBe("complete");
});

it("a proxy that is stopped and never answers is ended, and its log recovered", async () => {
  const { result } = await playDeath({ deed: (proxy) => process.kill(proxy, "SIGSTOP") });
  expect(findStep(result, "lanyard", "post").annotations[0]?.message).toMatch(
    /^The log of this job is incomplete: the proxy did not answer\. \d+ records were recovered/,
  );
  expect(result.leftovers).toEqual([]);
});

it("a spool that was deleted with its proxy: the session is ended, and nothing is taken for complete", async () => {
  const { result } = await playDeath({
    deed: (proxy, directory) => {
      process.kill(proxy, "SIGKILL");
      rmSync(directory, { recursive: true });
    },
  });
  expect(result.conclusion).toBe("failure");
  expect(findStep(result, "lanyard", "post").annotations[0]?.message).toContain("is incomplete");
  expect((await viewOf(result)).status).toBe("incomplete");
});

it("a log that nobody takes any more: the job is told where the spool lies, and it lies there without the tokens", async () => {
  const peer = await startCustodyPeer();
  const github = await startLocalServer(() => ({ status: 401 }));
  const directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
  const plan = { ...sessionDocument().audit, segment_interval_ms: 60_000 };
  const log = openSessionLog({
    directory,
    plan,
    client: peer.client,
    http: peer.http,
    onHalt: () => undefined,
  });
  log.record(genesis());
  log.record(call());
  log.shipping.halt("the test is over");
  writeFileSync(join(directory, "mcp-config-agent.json"), "token");
  const { stdout, code } = await runPost({
    RUNNER_OS: "Linux",
    INPUT_BROKER: "http://127.0.0.1:1",
    "INPUT_FAIL-ON": "incomplete",
    ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/idtoken`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "canary",
    STATE_directory: directory,
    STATE_control: "http://127.0.0.1:1",
    STATE_control_token: "canary",
    STATE_pid: "1",
    STATE_started: "0",
    STATE_session: "session-1",
  });
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^::error::The log of this job is incomplete: the proxy ended before the job did, and the rest of it could not be recovered: .*status 401/,
  );
  expect(stdout).toContain(`What was recorded lies on this runner in ${join(directory, "spool.jsonl")}.`);
  expect(stdout).not.toContain("canary");
  expect(readdirSync(directory)).toEqual(["spool.jsonl"]);
});

async function runPost(env: Record<string, string>): Promise<{ stdout: string; code: number | null }> {
  const child = spawn(process.execPath, [join(world.action, "dist/post.cjs")], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { stdout: Buffer.concat(chunks).toString("utf8"), code };
}
