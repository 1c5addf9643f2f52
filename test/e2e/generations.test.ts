/** Whole runs with agents and servers of both generations of MCP, each over HTTP and stdio. */
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findStep } from "../../dev/runner.ts";
import { connectAgent, type Generation } from "../support/agents.ts";
import { type EverythingServer, startEverythingServer } from "../support/mcp-everything-server.ts";
import {
  type ReferenceServer,
  referenceCommand,
  startReferenceServer,
} from "../support/mcp-reference-server.ts";
import { RunView } from "../../broker/review/view.ts";
import { startWorld, type World } from "../support/world.ts";

const everythingOverStdio = [
  process.execPath,
  createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/dist/index.js"),
];

let everything: EverythingServer;
let reference: ReferenceServer;
let world: World;

beforeAll(async () => {
  everything = await startEverythingServer();
  reference = await startReferenceServer();
  world = await startWorld({
    servers: `
  first-http: { url: "${everything.url}" }
  first-stdio: { command: ${JSON.stringify(everythingOverStdio)} }
  second-http: { url: "${reference.url}" }
  second-stdio: { command: ${JSON.stringify(referenceCommand())} }
`,
    roles: `
  agent:
    grants:
      - { server: first-http, tools: [echo] }
      - { server: first-http, tools: [get-sum], when: "args.a + args.b < 100" }
      - { server: first-stdio, tools: [echo] }
      - { server: first-stdio, tools: [get-sum], when: "args.a + args.b < 100" }
      - { server: second-http, tools: [echo], when: "args.text != 'forbidden'" }
      - { server: second-stdio, tools: [echo], when: "args.text != 'forbidden'" }
`,
  });
});

afterAll(async () => {
  await world.close();
  await everything.close();
  await reference.close();
});

interface Scenario {
  readonly generation: Generation;
  readonly server: string;
  readonly visible: readonly string[];
  readonly allowed: readonly [tool: string, args: Record<string, unknown>, answer: string];
  readonly deniedByArguments: readonly [tool: string, args: Record<string, unknown>];
  readonly hidden: string;
}

const everythingScenario = {
  visible: ["echo", "get-sum"],
  allowed: ["get-sum", { a: 40, b: 2 }, "The sum of 40 and 2 is 42."],
  deniedByArguments: ["get-sum", { a: 4000, b: 2 }],
  hidden: "get-env",
} as const;
const referenceScenario = {
  visible: ["echo"],
  allowed: ["echo", { text: "hello" }, "hello"],
  deniedByArguments: ["echo", { text: "forbidden" }],
  hidden: "secret",
} as const;

const scenarios: readonly Scenario[] = [
  { generation: "first", server: "first-http", ...everythingScenario },
  { generation: "first", server: "first-stdio", ...everythingScenario },
  { generation: "first", server: "second-http", ...referenceScenario },
  { generation: "first", server: "second-stdio", ...referenceScenario },
  { generation: "stateless", server: "second-http", ...referenceScenario },
  { generation: "stateless", server: "second-stdio", ...referenceScenario },
];

describe("a whole run", () => {
  it.each(scenarios)("with an agent of the $generation generation and $server", async (scenario) => {
    const job = world.newJob();
    const { allowed, deniedByArguments, hidden } = scenario;
    const said: string[] = [];
    const result = await world.play(
      [
        world.lanyard,
        {
          id: "agent",
          call: async ({ outputs }) => {
            const agent = await connectAgent(
              outputs("lanyard")["mcp-config"] ?? "",
              scenario.server,
              scenario.generation,
            );
            expect((await agent.listTools()).sort()).toEqual([...scenario.visible]);
            said.push(await agent.call(allowed[0], allowed[1]));
            said.push(await agent.call(deniedByArguments[0], deniedByArguments[1]));
            said.push(await agent.call(hidden, {}));
            said.push(await agent.call("no-such-tool", {}));
            await agent.close();
          },
        },
      ],
      { job },
    );
    expect(result.conclusion, result.steps.map(({ output }) => output).join("\n")).toBe("success");
    expect(said[0]).toBe(allowed[2]);
    expect(said[1]).toMatch(/^error: Refused by rule agent#\d: its condition does not hold/);
    expect(said[2]).toMatch(new RegExp(`^protocol error: .*Unknown tool: ${hidden}$`));
    // The same sentence whether the server has the tool or not.
    expect(said[3]?.replace("no-such-tool", hidden)).toBe(said[2]);

    const reviewUrl = findStep(result, "lanyard").outputs["review-url"] ?? "";
    const { run: _, ...view } = RunView.parse(
      JSON.parse((await world.visit(`/api${new URL(reviewUrl).pathname}`)).text),
    );
    expect(view.status).toBe("complete");
    expect(view.counts).toMatchObject({ calls: 4, allowed: 1, denied: 3, failed: 0, unwitnessed: 0 });
    expect(view.calls.rows.map(({ tool, decision, outcome }) => [tool, decision, outcome])).toEqual([
      [allowed[0], "allow", "ok"],
      [deniedByArguments[0], "deny", null],
      [hidden, "deny", null],
      ["no-such-tool", "deny", null],
    ]);
  });
});
