/** What a newcomer runs: `npm start`, twice, with the bundles of `dist/` and real servers from npm. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomInt, randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RunList } from "../../broker/review/view.ts";

const ROOT = join(import.meta.dirname, "..", "..");
// Inside the clone, where npx finds the servers that are installed with it.
const state = join(ROOT, ".lanyard", `test-${randomUUID()}`);
// Three in a row that nobody is likely to have: below those that the system gives to outgoing connections.
const port = 20_000 + randomInt(3_000) * 4;

afterAll(() => rm(state, { recursive: true, force: true }));

interface Development {
  readonly output: string;
  /** Works once. */
  readonly loginUrl: string;
  stop(): Promise<number | null>;
}

async function start(): Promise<Development> {
  const args = [join(ROOT, "bin", "lanyard.js"), "dev", "--state", state, "--port", String(port)];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit") as Promise<[number | null]>;
  let output = "";
  const ready = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const link = /\(the link works once\): (\S+)\n/.exec(output);
      if (link?.[1] !== undefined) resolve(link[1]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void exited.then(() => reject(new Error(`it ended early:\n${output}`)));
  });
  const loginUrl = await ready;
  return {
    output,
    loginUrl,
    stop: async () => {
      child.kill("SIGINT");
      return (await exited)[0];
    },
  };
}

async function login(loginUrl: string): Promise<string> {
  const answer = await fetch(loginUrl, { redirect: "manual" });
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

async function listRuns(cookie: string): Promise<RunList> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/runs`, { headers: { cookie } });
  expect(answer.status).toBe(200);
  return RunList.parse(await answer.json());
}

describe("the first two starts", () => {
  it("each play a run with allowed and denied calls, and the second still knows the first", async () => {
    const first = await start();
    expect(first.output).toContain("filesystem offers read_text_file");
    expect(first.output).toMatch(/get-sum \{"a":40,"b":2\}\n.*answered: The sum of 40 and 2 is 42/);
    expect(first.output).toMatch(/get-sum \{"a":4000,"b":2\}\n.*refused: Refused by rule demo#2/);
    expect(first.output).toMatch(/refused: .*Unknown tool: write_file/);
    expect(first.output).toMatch(/refused: .*Unknown tool: delete_repository/);
    expect(first.output).toContain("The log is complete and sealed");
    expect(first.output).toContain("The job ended: success.");
    const { runs } = await listRuns(await login(first.loginUrl));
    expect(runs).toMatchObject([
      { status: "complete", counts: { calls: 9, allowed: 5, denied: 4, unwitnessed: 0 } },
    ]);
    expect((await fetch(first.loginUrl, { redirect: "manual" })).headers.getSetCookie()).toEqual([]);
    expect(await first.stop()).toBe(0);

    const second = await start();
    const after = await listRuns(await login(second.loginUrl));
    expect(after.runs).toHaveLength(2);
    expect(after.runs[1]?.run.id).toBe(runs[0]?.run.id);
    expect(after.runs.every(({ status }) => status === "complete")).toBe(true);
    expect(await second.stop()).toBe(0);
  }, 90_000);
});
