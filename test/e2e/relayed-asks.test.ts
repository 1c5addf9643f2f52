/** What a server behind the broker's relay asks of real clients of both eras, in whole runs. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client as FirstClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as FirstTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unpackSegment } from "../../audit/segment.ts";
import type { AuditRecord } from "../../audit/record.ts";
import { RunView } from "../../broker/review/view.ts";
import { findStep } from "../../dev/runner.ts";
import { readEntry } from "../support/agents.ts";
import { type ConformanceServer, startConformanceServer } from "../support/mcp-conformance-server.ts";
import { startWorld, type World } from "../support/world.ts";

const CAPABILITIES = { sampling: {}, elicitation: {}, roots: {} };
const MESSAGE = { role: "assistant" as const, model: "m", content: { type: "text" as const, text: "Paris" } };
const FORM = {
  action: "accept" as const,
  content: { response: "main", name: "Ada", color: "red", ok: true },
};
const ROOTS = { roots: [{ uri: "file:///work" }] };

let server: ConformanceServer;
let world: World;
beforeAll(async () => {
  server = await startConformanceServer();
  const own = `url: "${server.url}", credential: nothing`;
  world = await startWorld({
    servers: `  asking: { ${own} }\n  silent: { ${own} }\ncredentials:\n  nothing: { kind: none }\n`,
    roles: `
  agent:
    grants:
      - { server: asking, tools: ["test_*"], asks: [sampling, elicitation, roots, logging] }
      - { server: silent, tools: ["test_*"] }
`,
  });
});
afterAll(async () => {
  await world.close();
  await server.close();
});

interface Asked {
  readonly call: (tool: string, args?: Record<string, unknown>) => Promise<any>;
  readonly heard: string[];
  close(): Promise<void>;
}

async function connectFirst(config: string, name: string): Promise<Asked> {
  const { url, headers } = await readEntry(config, name);
  const client = new FirstClient({ name: "first", version: "1" }, { capabilities: CAPABILITIES });
  const heard: string[] = [];
  client.setRequestHandler(CreateMessageRequestSchema, async ({ method }) => {
    heard.push(method);
    return MESSAGE;
  });
  client.setRequestHandler(ElicitRequestSchema, async ({ method }) => {
    heard.push(method);
    return FORM;
  });
  client.setRequestHandler(ListRootsRequestSchema, async ({ method }) => {
    heard.push(method);
    return ROOTS;
  });
  const transport: any = new FirstTransport(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  const call = async (tool: string, args = {}) => client.callTool({ name: tool, arguments: args });
  return { call, heard, close: async () => client.close() };
}

async function connectModern(config: string, name: string): Promise<Asked> {
  const { url, headers } = await readEntry(config, name);
  const client = new ModernClient(
    { name: "modern", version: "1" },
    { capabilities: CAPABILITIES, versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const heard: string[] = [];
  client.setRequestHandler("sampling/createMessage", async ({ method }) => {
    heard.push(method);
    return MESSAGE;
  });
  client.setRequestHandler("elicitation/create", async ({ method }) => {
    heard.push(method);
    return FORM;
  });
  client.setRequestHandler("roots/list", async ({ method }) => {
    heard.push(method);
    return ROOTS;
  });
  await client.connect(new ModernTransport(new URL(url), { requestInit: { headers } }));
  const call = async (tool: string, args = {}) => client.callTool({ name: tool, arguments: args });
  return { call, heard, close: async () => client.close() };
}

/** Of the last run: the calls of both logs that are what a server asked. */
async function readAsks(session: string): Promise<Record<"runner" | "relay", AuditRecord[]>> {
  const root = join(world.directory, "audit");
  const objects = (await readdir(root, { recursive: true })).filter((name) => name.includes(session));
  const read = async (stream: string): Promise<AuditRecord[]> => {
    const keys = objects.filter((name) => name.includes(`/${stream}/`) && name.endsWith(".zst")).sort();
    const texts = await Promise.all(
      keys.map(async (key) => unpackSegment(await readFile(join(root, key)), 1 << 25)),
    );
    const records = Buffer.concat(texts).toString("utf8").trimEnd().split("\n");
    return records
      .map((line): AuditRecord => JSON.parse(line))
      .filter((record) => record.kind === "call" && record.method !== "tools/call");
  };
  return { runner: await read("runner"), relay: await read("relay") };
}

describe.each([
  {
    era: "of handshakes",
    connect: connectFirst,
    calls: [
      ["test_sampling", { prompt: "The capital?" }, "Paris"],
      ["test_elicitation", { message: "Which branch?" }, "main"],
    ],
    methods: ["sampling/createMessage", "elicitation/create"],
  },
  {
    era: "without sessions",
    connect: connectModern,
    calls: [
      ["test_input_required_result_elicitation", {}, "user_name is there"],
      ["test_input_required_result_sampling", {}, "capital_question is there"],
      ["test_input_required_result_list_roots", {}, "client_roots is there"],
      ["test_input_required_result_multi_round", {}, ""],
    ],
    methods: [
      ...["elicitation/create", "sampling/createMessage", "roots/list"],
      ...["elicitation/create", "elicitation/create"],
    ],
  },
] as const)("a server behind the relay in the era $era", ({ connect, calls, methods }) => {
  it("gets the answers of the agent's side to what is granted, and both logs say so", async () => {
    const heard: string[] = [];
    const result = await world.play([
      world.lanyard,
      {
        id: "agent",
        call: async ({ outputs }) => {
          const config = outputs("lanyard")["mcp-config"] ?? "";
          const agent = await connect(config, "asking");
          for (const [tool, args, said] of calls) {
            const answer = await agent.call(tool, args);
            expect(answer.isError, JSON.stringify(answer)).not.toBe(true);
            expect(JSON.stringify(answer)).toContain(said);
          }
          heard.push(...agent.heard);
          await agent.close();
        },
      },
    ]);
    expect(result.conclusion, result.steps.map(({ output }) => output).join("\n")).toBe("success");
    expect(heard).toEqual(methods);

    const path = new URL(findStep(result, "lanyard").outputs["review-url"] ?? "").pathname;
    const view = RunView.parse(JSON.parse((await world.visit(`/api${path}`)).text));
    expect(view.sessions.flatMap(({ integrity }) => [...integrity.problems, ...integrity.notes])).toEqual([]);
    const { runner, relay } = await readAsks(view.sessions[0]?.session ?? "none");
    const facts = (records: AuditRecord[]) =>
      records.map((record) => record.kind === "call" && [record.id, record.method, record.decision]);
    expect(relay.map((record) => record.kind === "call" && record.method)).toEqual(methods);
    expect(facts(runner)).toEqual(facts(relay));
  });

  it("asks for nothing that is not granted: the agent never hears of it", async () => {
    const heard: string[] = [];
    const answers: unknown[] = [];
    await world.play([
      world.lanyard,
      {
        id: "agent",
        call: async ({ outputs }) => {
          const agent = await connect(outputs("lanyard")["mcp-config"] ?? "", "silent");
          for (const [tool, args] of calls) {
            answers.push(await agent.call(tool, args).catch((error: unknown) => ({ isError: true, error })));
          }
          heard.push(...agent.heard);
          await agent.close();
        },
      },
    ]);
    expect(heard).toEqual([]);
    expect(answers).toHaveLength(calls.length);
    expect(answers).toEqual(calls.map(() => expect.objectContaining({ isError: true })));
  });
});
