/** Real clients of both SDK generations against real servers, through the proxy. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EverythingServer, startEverythingServer } from "../support/mcp-everything-server.ts";
import {
  type ReferenceServer,
  referenceCommand,
  startReferenceServer,
} from "../support/mcp-reference-server.ts";
import { type Rig, type Said, startRig, TOKEN } from "./rig.ts";

const requestInit = { headers: { Authorization: `Bearer ${TOKEN}` } };

let everything: EverythingServer;
let reference: ReferenceServer;
let folder: string;
let rig: Rig;

beforeAll(async () => {
  everything = await startEverythingServer();
  reference = await startReferenceServer();
  folder = await mkdtemp(join(tmpdir(), "lanyard-files-"));
  await writeFile(join(folder, "hello.txt"), "hello from the file");
  const filesystem = createRequire(import.meta.url).resolve(
    "@modelcontextprotocol/server-filesystem/dist/index.js",
  );
  rig = await startRig({
    servers: {
      everything: { transport: "http", url: everything.url },
      reference: { transport: "http", url: reference.url },
      files: { transport: "stdio", command: [process.execPath, filesystem, folder], env: {}, start: "eager" },
      child: { transport: "stdio", command: referenceCommand(), env: {}, start: "eager" },
    },
    grants: [
      { server: "everything", tools: ["echo", "get-sum", "trigger-long-running-operation"] },
      { server: "reference", tools: ["echo", "count", "region", "fail", "ask", "wait"] },
      { server: "child", tools: ["echo", "count", "region", "fail", "ask", "wait"] },
      { server: "files", tools: ["read_text_file"], when: 'args.path.endsWith(".txt")' },
      { server: "files", tools: ["list_*"] },
    ],
  });
});

afterAll(async () => {
  await rig.close();
  await everything.close();
  await reference.close();
  await rm(folder, { recursive: true });
});

async function connectV1(server: string): Promise<ClientV1> {
  const client = new ClientV1({ name: "v1", version: "1.0.0" }, { capabilities: { roots: {} } });
  // The SDK's own transport does not fit its own interface under exactOptionalPropertyTypes.
  const transport: Said = new TransportV1(new URL(`${rig.url}/mcp/${server}`), { requestInit });
  await client.connect(transport);
  return client;
}

async function connectV2(server: string, mode: "auto" | "legacy" | { pin: string }): Promise<ClientV2> {
  const client = new ClientV2(
    { name: "v2", version: "2.0.0" },
    { versionNegotiation: { mode }, capabilities: { elicitation: {} } },
  );
  await client.connect(new TransportV2(new URL(`${rig.url}/mcp/${server}`), { requestInit }));
  return client;
}

const textOf = (result: Said): string => result.content[0].text;

describe("the v1 client", () => {
  it("works with server-everything over HTTP and sees only what is granted", async () => {
    const client = await connectV1("everything");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      "echo",
      "get-sum",
      "trigger-long-running-operation",
    ]);
    expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true } });
    expect(textOf(await client.callTool({ name: "echo", arguments: { message: "hi" } }))).toBe("Echo: hi");
    await expect(client.callTool({ name: "get-env", arguments: {} })).rejects.toThrow(
      "Unknown tool: get-env",
    );
    const progress: number[] = [];
    await client.callTool(
      { name: "trigger-long-running-operation", arguments: { duration: 0.2, steps: 2 } },
      undefined,
      { onprogress: (step) => progress.push(step.progress) },
    );
    expect(progress).toEqual([1, 2]);
    await client.close();
  });

  it("works with server-filesystem over stdio, within the registry's directory and the conditions", async () => {
    const client = await connectV1("files");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      "list_allowed_directories",
      "list_directory",
      "list_directory_with_sizes",
      "read_text_file",
    ]);
    const path = join(folder, "hello.txt");
    expect(textOf(await client.callTool({ name: "read_text_file", arguments: { path } }))).toBe(
      "hello from the file",
    );
    expect(textOf(await client.callTool({ name: "list_allowed_directories", arguments: {} }))).toContain(
      folder,
    );
    const refused = await client.callTool({ name: "read_text_file", arguments: { path: "/etc/passwd" } });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain("triager#4");
    expect(textOf(refused)).toContain('args.path.endsWith(".txt")');
    await expect(client.callTool({ name: "write_file", arguments: { path, content: "x" } })).rejects.toThrow(
      "Unknown tool: write_file",
    );
    expect(await readFile(path, "utf8")).toBe("hello from the file");
    await client.close();
  });

  it("works with a server of the second generation in the older era", async () => {
    const client = await connectV1("reference");
    expect(textOf(await client.callTool({ name: "echo", arguments: { text: "old" } }))).toBe("old");
    await client.close();
  });
});

describe.each([
  ["auto", "stateless"],
  [{ pin: "2026-07-28" }, "stateless"],
  ["legacy", "handshake"],
] as const)("the v2 client in mode %j", (mode, era) => {
  it.each(["reference", "child"])("works with the reference server as %s", async (server) => {
    const client = await connectV2(server, mode);
    expect(client.getProtocolEra()).toBe(era === "stateless" ? "modern" : "legacy");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["echo", "fail", "count", "region", "ask", "wait"]);
    expect(tools[0]).toMatchObject({
      title: "Echo",
      annotations: { readOnlyHint: true, idempotentHint: true },
    });
    expect(textOf(await client.callTool({ name: "echo", arguments: { text: "hi" } }))).toBe("hi");
    expect(textOf(await client.callTool({ name: "region", arguments: { region: "münchen" } }))).toBe(
      "münchen",
    );
    expect(await client.callTool({ name: "fail", arguments: {} })).toMatchObject({ isError: true });
    const progress: number[] = [];
    const counted = await client.callTool(
      { name: "count", arguments: { to: 3 } },
      { onprogress: (step) => progress.push(step.progress) },
    );
    expect(textOf(counted)).toBe("counted to 3");
    expect(progress).toEqual([1, 2, 3]);
    await expect(client.callTool({ name: "secret", arguments: {} })).rejects.toThrow("Unknown tool: secret");
    expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true } });
    await client.close();
  });
});

describe("the v2 client in mode auto", () => {
  it.each(["everything", "files"])(
    "falls back to the handshake with %s, which knows nothing else",
    async (server) => {
      const client = await connectV2(server, "auto");
      expect(client.getProtocolEra()).toBe("legacy");
      expect((await client.listTools()).tools.length).toBeGreaterThan(1);
      await client.close();
    },
  );
});

it("leaves a log in which every allowed call has exactly one result", () => {
  const allowed = rig.recorder.of("call").filter(({ decision }) => decision === "allow");
  const ended = rig.recorder.of("result").map(({ call }) => call);
  expect(allowed.length).toBeGreaterThan(10);
  expect(ended.toSorted()).toEqual(allowed.map(({ id }) => id).toSorted());
  expect(rig.recorder.of("catalog").map(({ server }) => server)).toEqual(
    expect.arrayContaining(["everything", "files", "reference", "child"]),
  );
  const clients = rig.recorder.events("client_attached").map(({ detail }) => detail["client"]);
  expect(clients).toContainEqual({ name: "v1", version: "1.0.0" });
  expect(clients).toContainEqual({ name: "v2", version: "2.0.0" });
  expect(rig.totals().calls).toBe(rig.recorder.of("call").length);
});
