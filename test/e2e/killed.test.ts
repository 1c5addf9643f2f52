/** The proxy, or the whole job, is killed: nothing that was recorded is lost in silence. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunView as View, RunView } from "../../broker/review/view.ts";
import { findStep } from "../../dev/runner.ts";
import { connectAgent } from "../support/agents.ts";
import type { DoomedJob } from "../support/doomed-job.ts";
import { referenceCommand } from "../support/mcp-reference-server.ts";
import { fetchCheckpointKeys, verifyOffline } from "../support/verification.ts";
import { startWorld, type World } from "../support/world.ts";

const FIFTEEN_MINUTES_MS = 15 * 60_000;

let world: World;
beforeAll(async () => {
  world = await startWorld({
    servers: `  reference: { command: ${JSON.stringify(referenceCommand())} }\n`,
    roles: `  agent: { grants: [{ server: reference, tools: [echo] }] }\n`,
  });
});
afterAll(() => world.close());

/** The proxy of this job: the process whose program is proxy.cjs and which works for this runner folder. */
function findProxy(runnerTemp: string): number {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("proxy.cjs")) continue;
      const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlink(`/proc/${pid}/fd/${fd}`));
      if (open.some((target) => target.startsWith(runnerTemp))) return Number(pid);
    } catch {
      // It ended while it was looked at.
    }
  }
  throw new Error("no proxy runs for this job");
}

function readlink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

const viewOf = async (reviewUrl: string): Promise<View> =>
  RunView.parse(JSON.parse((await world.visit(`/api${new URL(reviewUrl).pathname}`)).text));

describe.skipIf(process.platform !== "linux")("killing the proxy between two calls", () => {
  it("loses no record: the log verifies up to there, its tail is recovered and unwitnessed, the job is told", async () => {
    const result = await world.play([
      { ...world.lanyard, with: { ...world.lanyard.with, "fail-on": "incomplete" } },
      {
        id: "agent",
        call: async ({ outputs, runnerTemp }) => {
          const agent = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", "reference", "stateless");
          for (const text of ["one", "two", "three"]) expect(await agent.call("echo", { text })).toBe(text);
          process.kill(findProxy(runnerTemp), "SIGKILL");
          expect(await agent.call("echo", { text: "four" })).toMatch(/^protocol error/);
        },
      },
    ]);
    expect(result.conclusion).toBe("failure");
    expect(result.leftovers).toEqual([]);
    const post = findStep(result, "lanyard", "post");
    expect(post.outcome).toBe("failure");
    expect(post.output).toMatch(/not sealed|incomplete/i);
    expect(post.summary).toMatch(/incomplete/i);

    const reviewUrl = findStep(result, "lanyard").outputs["review-url"] ?? "";
    const view = await viewOf(reviewUrl);
    expect(view.status).toBe("incomplete");
    const [session] = view.sessions;
    expect(session).toMatchObject({ status: "recovered", integrity: { manifest: { status: "recovered" } } });
    expect(session?.integrity.problems).toEqual([]);
    expect(view.calls.rows.map(({ tool, outcome, witnessed }) => [tool, outcome, witnessed])).toEqual([
      ["echo", "ok", false],
      ["echo", "ok", false],
      ["echo", "ok", false],
    ]);
    const page = (await world.visit(new URL(reviewUrl).pathname)).text;
    expect(page).toMatch(/not witnessed|unwitnessed/i);

    const keys = await fetchCheckpointKeys(world.broker.url, join(world.directory, `${randomUUID()}.json`));
    const verified = await verifyOffline(join(world.directory, "audit"), keys);
    expect(verified.exitCode).toBe(1);
    expect(verified.output).toMatch(/^recovered/m);
    expect(verified.output).not.toMatch(/^broken/m);
  });
});

describe.skipIf(process.platform !== "linux")("killing the whole job", () => {
  it("leaves a session that expires without a seal, and a run that is shown as incomplete", async () => {
    const folder = join(world.directory, "doomed");
    const job: DoomedJob = {
      action: world.lanyard.uses,
      broker: world.broker.url,
      folder,
      environment: world.environmentOf(world.newJob()),
      server: "reference",
      tool: "echo",
      args: { text: "one" },
    };
    const program = join(import.meta.dirname, "../support/doomed-job.ts");
    const child = spawn(process.execPath, [program, JSON.stringify(job)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const reviewUrl = line.replace("called ", "");
    // The machine is gone at once: no post, and nobody left who could ask for a token.
    const proxy = findProxy(folder);
    child.kill("SIGKILL");
    process.kill(proxy, "SIGKILL");
    await once(child, "exit");

    expect((await viewOf(reviewUrl)).status).toBe("running");
    world.advance(FIFTEEN_MINUTES_MS);
    await world.broker.sweep();
    const view = await viewOf(reviewUrl);
    expect(view.status).toBe("incomplete");
    expect(view.sessions).toMatchObject([{ status: "incomplete", integrity: { manifest: null } }]);
    expect((await world.visit(new URL(reviewUrl).pathname)).text).toContain("Incomplete");
    world.advance(-FIFTEEN_MINUTES_MS);
  });
});
