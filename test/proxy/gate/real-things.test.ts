/** Resources, prompts and completions of real servers, asked for by real clients of both SDK generations. */
import {
  Client as ClientV2,
  ResourceNotFoundError,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { completable, createMcpHandler, McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { type EverythingServer, startEverythingServer } from "../../support/mcp-everything-server.ts";
import { listenWeb, type WebListener } from "../../support/web-listener.ts";
import { type Rig, type Said, startRig, TOKEN } from "../rig.ts";

const requestInit = { headers: { Authorization: `Bearer ${TOKEN}` } };
const PREFIX = "demo://resource/dynamic/text/";

let everything: EverythingServer;
let modern: WebListener;
let handler: ReturnType<typeof createMcpHandler>;
let rig: Rig;

function buildModern(): McpServer {
  const server = new McpServer(
    { name: "modern", version: "1" },
    { capabilities: { resources: { subscribe: true, listChanged: true }, prompts: { listChanged: true } } },
  );
  const read = async (uri: URL): Promise<Said> => ({ contents: [{ uri: uri.href, text: `at ${uri.href}` }] });
  server.registerResource("open", "note://open/a", { title: "A" }, read);
  server.registerResource("closed", "note://closed/b", {}, read);
  for (const [name, uri] of [
    ["open notes", "note://open/{name}"],
    ["closed notes", "note://closed/{name}"],
  ] as const) {
    const complete = { name: () => ["a", "b"] };
    server.registerResource(name, new ResourceTemplate(uri, { list: undefined, complete }), {}, read);
  }
  for (const name of ["greet", "secret"]) {
    const argsSchema = z.object({ who: completable(z.string(), () => ["anna", "bob"]) });
    server.registerPrompt(name, { argsSchema }, ({ who }) => ({
      messages: [{ role: "user", content: { type: "text", text: `${name} ${who}` } }],
    }));
  }
  return server;
}

beforeAll(async () => {
  everything = await startEverythingServer();
  handler = createMcpHandler(buildModern);
  modern = await listenWeb((request) => handler.fetch(request));
  rig = await startRig({
    servers: {
      everything: { transport: "http", url: everything.url },
      modern: { transport: "http", url: `${modern.url}/mcp` },
    },
    grants: [
      { server: "everything", resources: [`${PREFIX}*`, "demo://resource/static/document/features.md"] },
      {
        server: "everything",
        prompts: ["simple-prompt", "args-prompt", "completable-prompt", "resource-prompt"],
      },
      { server: "everything", tools: ["echo"] },
      { server: "modern", resources: ["note://open/*"], prompts: ["greet"] },
    ],
  });
});
afterAll(async () => {
  await rig.close();
  await everything.close();
  await handler.close();
  await modern.close();
});

async function connectV1(url: string): Promise<ClientV1> {
  const client = new ClientV1({ name: "v1", version: "1.0.0" });
  // The SDK's own transport does not fit its own interface under exactOptionalPropertyTypes.
  const transport: Said = new TransportV1(new URL(url), { requestInit });
  await client.connect(transport);
  return client;
}

async function connectV2(url: string, mode: "auto" | "legacy"): Promise<ClientV2> {
  const client = new ClientV2({ name: "v2", version: "2.0.0" }, { versionNegotiation: { mode } });
  await client.connect(new TransportV2(new URL(url), { requestInit }));
  return client;
}

/** What a client sees of server-everything that every client asks for in the same way. */
async function look(client: ClientV1 | ClientV2): Promise<Record<string, Said>> {
  const ref = { type: "ref/prompt", name: "completable-prompt" } as const;
  const template = { type: "ref/resource", uri: `${PREFIX}{resourceId}` } as const;
  return {
    resources: await client.listResources(),
    templates: await client.listResourceTemplates(),
    prompts: await client.listPrompts(),
    document: await client.readResource({ uri: "demo://resource/static/document/features.md" }),
    simple: await client.getPrompt({ name: "simple-prompt" }),
    args: await client.getPrompt({ name: "args-prompt", arguments: { city: "Bern", state: "BE" } }),
    department: await client.complete({ ref, argument: { name: "department", value: "S" } }),
    name: await client.complete({
      ...{ ref, argument: { name: "name", value: "" } },
      context: { arguments: { department: "Sales" } },
    }),
    id: await client.complete({ ref: template, argument: { name: "resourceId", value: "3" } }),
  };
}

const through = (server: string): string => `${rig.url}/mcp/${server}`;

describe.each([
  ["v1", connectV1],
  ["v2", (url: string) => connectV2(url, "auto")],
] as const)("the %s client with server-everything", (_name, connect) => {
  it("gets field by field what it gets without a proxy, except for what is not granted", async () => {
    const [direct, gated] = [await connect(everything.url), await connect(through("everything"))];
    const [open, seen] = [await look(direct), await look(gated)];
    const shown = {
      ...open,
      resources: {
        resources: open["resources"].resources.filter(({ name }: Said) => name === "features.md"),
      },
      templates: {
        resourceTemplates: open["templates"].resourceTemplates.filter(({ uriTemplate }: Said) =>
          uriTemplate.startsWith(PREFIX),
        ),
      },
    };
    expect(seen).toEqual(shown);
    expect(seen["resources"].resources).toHaveLength(1);
    expect(seen["templates"].resourceTemplates).toHaveLength(1);
    expect(seen["prompts"].prompts).toHaveLength(4);
    expect(seen["department"].completion.values).toEqual(["Sales", "Support"]);
    await direct.close();
    await gated.close();
  });

  it("reads what a template makes, and finds nothing that is not granted", async () => {
    const client = await connect(through("everything"));
    const { contents }: Said = await client.readResource({ uri: `${PREFIX}3` });
    expect(contents[0].text).toContain("Resource 3");
    const hidden = client.readResource({ uri: "demo://resource/dynamic/blob/3" });
    await expect(hidden).rejects.toThrow("Resource not found");
    const embedded: Said = await client.getPrompt({
      name: "resource-prompt",
      arguments: { resourceType: "Blob", resourceId: "3" },
    });
    expect(JSON.stringify(embedded)).toContain("demo://resource/dynamic/blob/3");
    await client.close();
  });

  it("is told that it can subscribe, complete and hear of changes, and not that there is logging", async () => {
    const client = await connect(through("everything"));
    const capabilities = client.getServerCapabilities();
    expect(capabilities).toMatchObject({
      resources: { subscribe: true, listChanged: true },
      completions: {},
    });
    expect(Object.keys(capabilities ?? {}).sort()).toEqual(["completions", "prompts", "resources", "tools"]);
    await client.close();
  });
});

it("the v1 client hears of the resource that it subscribed to and may read", async () => {
  await using subscribed = await startRig({
    servers: { everything: { transport: "http", url: everything.url } },
    grants: [{ server: "everything", resources: [`${PREFIX}*`], tools: ["toggle-subscriber-updates"] }],
  });
  const client = await connectV1(`${subscribed.url}/mcp/everything`);
  const heard: string[] = [];
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void heard.push(params.uri),
  );
  await client.subscribeResource({ uri: `${PREFIX}1` });
  await expect(client.subscribeResource({ uri: "demo://resource/dynamic/blob/1" })).rejects.toMatchObject({
    code: -32002,
  });
  await client.callTool({ name: "toggle-subscriber-updates", arguments: {} });
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBeGreaterThan(0);
  expect(new Set(heard)).toEqual(new Set([`${PREFIX}1`]));
  await client.unsubscribeResource({ uri: `${PREFIX}1` });
  await client.close();
});

describe.each(["auto", "legacy"] as const)("the v2 client in mode %s with a server of both eras", (mode) => {
  it("sees, uses and completes what is granted, and nothing else", async () => {
    const client = await connectV2(through("modern"), mode);
    expect(client.getProtocolEra()).toBe(mode === "auto" ? "modern" : "legacy");
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(["note://open/a"]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(["note://open/{name}"]);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["greet"]);
    const read: Said = await client.readResource({ uri: "note://open/münchen" });
    expect(read.contents[0].text).toBe("at note://open/m%C3%BCnchen");
    const got: Said = await client.getPrompt({ name: "greet", arguments: { who: "anna" } });
    expect(got.messages[0].content.text).toBe("greet anna");
    const argument = { name: "who", value: "" };
    const completed = await client.complete({ ref: { type: "ref/prompt", name: "greet" }, argument });
    expect(completed.completion.values).toEqual(["anna", "bob"]);
    // The SDK knows it for what it is by the URI, in either era.
    await expect(client.readResource({ uri: "note://closed/b" })).rejects.toBeInstanceOf(
      ResourceNotFoundError,
    );
    await expect(client.getPrompt({ name: "secret", arguments: { who: "x" } })).rejects.toThrow(
      "Unknown prompt: secret",
    );
    const hidden = { type: "ref/resource", uri: "note://closed/{name}" } as const;
    await expect(client.complete({ ref: hidden, argument })).rejects.toThrow("Resource not found");
    await client.close();
  });
});
