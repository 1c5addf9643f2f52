/** Whole jobs, from main to post, on a real broker. */
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunView } from "../../broker/review/view.ts";
import { findStep } from "../../dev/runner.ts";
import { findTracked } from "../../dev/runner/leftovers.ts";
import { connectAgent } from "../support/agents.ts";
import { type ScenarioWorld, logOf, privateDirectory, startScenarioWorld } from "./scenario-world.ts";

let world: ScenarioWorld;
beforeAll(async () => {
  world = await startScenarioWorld();
});
afterAll(() => world.close());

const ask = async (config: string, tool: string, args: Record<string, unknown> = {}, server = "files") => {
  const agent = await connectAgent(config, server, "first");
  try {
    // As every agent does: what a server has is known from then on.
    await agent.listTools();
    return await agent.call(tool, args);
  } finally {
    await agent.close();
  }
};
const viewOf = async (reviewUrl: string) =>
  RunView.parse(JSON.parse((await world.visit(`/api${new URL(reviewUrl).pathname}`)).text));

describe("a job with one agent", () => {
  it("gets a badge, and leaves a sealed log and nothing else", async () => {
    const seen: Record<string, unknown> = {};
    const result = await world.play([
      world.use(),
      {
        id: "agent",
        call: async ({ outputs, runnerTemp }) => {
          const lanyard = outputs("lanyard");
          const config = lanyard["mcp-config"] ?? "";
          seen["modes"] = [config, privateDirectory(runnerTemp)].map((path) => statSync(path).mode & 0o777);
          seen["config"] = JSON.parse(readFileSync(config, "utf8"));
          seen["same"] = lanyard["claude-config"] === config;
          seen["answer"] = await ask(config, "echo", { a: 1 });
          seen["denied"] = await ask(config, "hidden");
        },
      },
    ]);
    const log = logOf(result);
    expect(result.conclusion, log).toBe("success");
    expect(seen).toMatchObject({ modes: [0o600, 0o700], same: true, answer: '{"a":1}' });
    expect(seen["denied"]).toContain("Unknown tool: hidden");

    const main = findStep(result, "lanyard");
    const url = main.outputs["url"] ?? "";
    expect(main.outputs).toMatchObject({ robot: "acme/payments/triager" });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(seen["config"]).toEqual({
      mcpServers: Object.fromEntries(
        ["files", "memory"].map((server) => [
          server,
          {
            type: "http",
            url: `${url}/mcp/${server}`,
            headers: { Authorization: expect.stringMatching(/^Bearer lanyard_agent_[\w-]{43}$/) },
          },
        ]),
      ),
    });
    expect(main.output).toContain("robot acme/payments/triager (agent) reaches files, memory.");
    expect(main.outputHeld).toBe(false);

    const post = findStep(result, "lanyard", "post");
    expect(post.output).toContain("The log is complete and sealed.");
    expect(post.output).toContain("1 call was denied.");
    expect(post.summary).toContain("2 calls: 1 allowed, 1 denied, 0 failed");
    expect(post.summary).toContain("<code>hidden</code>");
    expect(result.leftovers).toEqual([]);

    const runnerTemp = join(
      world.directory,
      "job",
      readdirSync(join(world.directory, "job"))[0] ?? "",
      "_temp",
    );
    expect(readdirSync(runnerTemp)).toEqual(["_runner_file_commands"]);
    expect(readdirSync(join(runnerTemp, "_runner_file_commands"))).toEqual([]);
    const view = await viewOf(main.outputs["review-url"] ?? "");
    expect(view).toMatchObject({
      status: "complete",
      counts: { calls: 2, allowed: 1, denied: 1, unwitnessed: 0 },
    });
  });

  it("whose stdio servers print commands and secrets: they stay text, and secrets are redacted", async () => {
    const result = await world.play([
      world.use(),
      { call: async ({ outputs }) => void (await ask(outputs("lanyard")["mcp-config"] ?? "", "echo")) },
    ]);
    const post = findStep(result, "lanyard", "post");
    expect(post.annotations).toEqual([]);
    expect(post.output).toContain("▾ stderr of files\n::error::forged by a server\n::add-mask::acme\n");
    expect(post.output).toContain("token [redacted:github-token:unknown]");
    expect(post.output).not.toContain("canaryA1");
    // Nothing was masked by them either.
    expect(post.output).toContain("The log is complete and sealed.");
  });

  it("starts stdio servers in a place of their own, with nothing of the workflow's environment", async () => {
    let environment = "";
    const result = await world.play(
      [
        world.use({ servers: "memory" }),
        {
          call: async ({ outputs, runnerTemp }) => {
            environment = await ask(outputs("lanyard")["mcp-config"] ?? "", "environment", {}, "memory");
            const { env, cwd } = JSON.parse(environment);
            expect(env["PLACE"]).toBe(join(runnerTemp, "memory.json"));
            expect(cwd).toBe(join(privateDirectory(runnerTemp), "servers", "memory"));
          },
        },
      ],
      { environment: { ANTHROPIC_API_KEY: "canary" } },
    );
    expect(result.conclusion, logOf(result)).toBe("success");
    const names = Object.keys(JSON.parse(environment).env);
    expect(names.filter((name) => /^(ACTIONS|INPUT|GITHUB|ANTHROPIC|STATE)/.test(name))).toEqual([]);
    expect(names).toContain("RUNNER_TRACKING_ID");
  });

  it("that asks for one server gets one", async () => {
    const result = await world.play([world.use({ servers: "memory" })]);
    expect(findStep(result, "lanyard").output).toContain("reaches memory.");
    expect(findStep(result, "lanyard", "post").summary).toContain("Servers: <code>memory</code>.");
  });

  it("fails with fail-on: denied when a call was denied, and only then", async () => {
    const steps = (tool: string) => [
      world.use({ "fail-on": "denied" }),
      { call: async ({ outputs }: any) => void (await ask(outputs("lanyard")["mcp-config"], tool)) },
    ];
    const denied = await world.play(steps("hidden"));
    expect(denied.conclusion).toBe("failure");
    expect(findStep(denied, "lanyard", "post").annotations).toEqual([
      { level: "error", message: "1 call was denied." },
    ]);
    expect((await world.play(steps("echo"))).conclusion).toBe("success");
  });
});

it("several agents have a token and a file each, and are told apart in the log", async () => {
  const tokens: string[] = [];
  const result = await world.play([
    world.use({ agents: "planner, coder" }),
    {
      call: async ({ outputs }) => {
        const lanyard = outputs("lanyard");
        expect(lanyard["mcp-config"]).toBe(lanyard["mcp-config-planner"]);
        for (const agent of ["planner", "coder"]) {
          const config = lanyard[`mcp-config-${agent}`] ?? "";
          tokens.push(JSON.parse(readFileSync(config, "utf8")).mcpServers.files.headers.Authorization);
          await ask(config, "echo");
        }
        await ask(lanyard["mcp-config-coder"] ?? "", "echo");
      },
    },
  ]);
  expect(result.conclusion, logOf(result)).toBe("success");
  expect(new Set(tokens).size).toBe(2);
  const { summary } = findStep(result, "lanyard", "post");
  expect(summary).toContain(
    "| <code>planner</code> | <code>files</code> | <code>echo</code> | allowed | <code>agent&#35;1</code> | 1 |",
  );
  expect(summary).toContain(
    "| <code>coder</code> | <code>files</code> | <code>echo</code> | allowed | <code>agent&#35;1</code> | 2 |",
  );
});

it("a step that is cancelled: the log is sealed all the same", async () => {
  const cancel = new AbortController();
  const result = await world.play(
    [
      world.use(),
      {
        id: "agent",
        run: () => {
          setTimeout(() => cancel.abort(), 200);
          return [process.execPath, "-e", "setInterval(() => {}, 1000)"];
        },
      },
    ],
    { signal: cancel.signal },
  );
  expect(result.conclusion).toBe("cancelled");
  expect(findStep(result, "lanyard", "post").output).toContain("The log is complete and sealed.");
  expect(result.leftovers).toEqual([]);
});

it("a main that is cancelled while it waits leaves no process and no file behind", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const broker = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const cancel = new AbortController();
  silent.once("connection", () => cancel.abort());
  const job = world.newJob();
  const result = await world.play([world.use({ broker })], { signal: cancel.signal, job });
  silent.closeAllConnections();
  silent.close();
  expect(result.conclusion).toBe("cancelled");
  expect(result.leftovers).toEqual([]);
  const post = findStep(result, "lanyard", "post");
  expect(post.exitCode).toBe(0);
  expect(readdirSync(join(world.directory, "job", job.runId, "_temp"))).toEqual(["_runner_file_commands"]);
});

it("what was started ends with the job, also when its server would not", async () => {
  let running: string[] = [];
  const result = await world.play([
    world.use(),
    {
      call: async ({ outputs, environment }) => {
        await ask(outputs("lanyard")["mcp-config"] ?? "", "echo");
        running = (await findTracked(environment["RUNNER_TRACKING_ID"] ?? "")).map(({ command }) => command);
      },
    },
  ]);
  expect(running.filter((command) => command.includes("proxy.cjs"))).toHaveLength(1);
  expect(running.filter((command) => command.includes("server-that-prints-commands"))).toHaveLength(2);
  expect(result.leftovers).toEqual([]);
  expect(existsSync(findStep(result, "lanyard").outputs["mcp-config"] ?? "")).toBe(false);
});
