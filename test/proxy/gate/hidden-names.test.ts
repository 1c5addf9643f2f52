/** What an agent could try to learn of things that nobody granted: the names of the tests are the attacks. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStream } from "../open-stream.ts";
import { type Rig, type Said, send, shakeHands, startRig, stateless } from "../rig.ts";
import { startThingServer, type ThingServer } from "../thing-server.ts";

const HIDDEN = {
  tools: [{ name: "hidden" }],
  resources: [{ uri: "repo://acme/hidden", name: "hidden" }],
  resourceTemplates: [{ uriTemplate: "repo://acme/hidden/{path}", name: "hidden" }],
  prompts: [{ name: "hidden" }],
};
const SHOWN = {
  tools: [{ name: "shown" }],
  resources: [{ uri: "repo://acme/payments/shown", name: "shown" }],
  resourceTemplates: [{ uriTemplate: "repo://acme/payments/{path}", name: "shown" }],
  prompts: [{ name: "shown" }],
};

let having: ThingServer;
let lacking: ThingServer;
let rig: Rig;

beforeEach(async () => {
  having = await startThingServer({
    tools: [...HIDDEN.tools, ...SHOWN.tools],
    resources: [...HIDDEN.resources, ...SHOWN.resources],
    resourceTemplates: [...HIDDEN.resourceTemplates, ...SHOWN.resourceTemplates],
    prompts: [...HIDDEN.prompts, ...SHOWN.prompts],
  });
  lacking = await startThingServer(SHOWN);
  const grant = { tools: ["shown"], resources: ["repo://acme/payments/*"], prompts: ["shown"] };
  rig = await startRig({
    servers: {
      having: { transport: "http", url: having.url },
      lacking: { transport: "http", url: lacking.url },
    },
    grants: [
      { server: "having", ...grant },
      { server: "lacking", ...grant },
    ],
  });
});
afterEach(async () => {
  await rig.close();
  await having.close();
  await lacking.close();
});

const ask = (method: string, params: object = {}): Said => ({ jsonrpc: "2.0", id: 1, method, params });
const argument = { name: "path", value: "" };

const NAMINGS: [string, object][] = [
  ["tools/call", { name: "hidden", arguments: {} }],
  ["resources/read", { uri: "repo://acme/hidden" }],
  ["resources/subscribe", { uri: "repo://acme/hidden" }],
  ["resources/unsubscribe", { uri: "repo://acme/hidden" }],
  ["prompts/get", { name: "hidden" }],
  ["completion/complete", { ref: { type: "ref/prompt", name: "hidden" }, argument }],
  ["completion/complete", { ref: { type: "ref/resource", uri: "repo://acme/hidden/{path}" }, argument }],
];
const LISTS = ["tools/list", "resources/list", "resources/templates/list", "prompts/list"];

describe("for one name, a server that has it and one that has not, neither granted", () => {
  it.each(NAMINGS)("%s %j: the same bytes, and neither server is asked", async (method, params) => {
    const [first, second] = await Promise.all(
      ["having", "lacking"].map((name) => send(`${rig.url}/mcp/${name}`, { body: ask(method, params) })),
    );
    expect(first?.text).toBe(second?.text);
    expect(first?.status).toBe(second?.status);
    expect(first?.json.error.code).toBe(JSON.stringify(params).includes("uri") ? -32002 : -32602);
    expect([having.received, lacking.received]).toEqual([[], []]);
    const [recorded, other] = rig.recorder.of("call");
    expect(recorded).toMatchObject({ method, decision: "deny", reason: "no_grant" });
    expect(other).toMatchObject({ method, decision: "deny", reason: "no_grant" });
  });

  it.each(NAMINGS.filter(([method]) => !method.endsWith("subscribe")))(
    "%s %j: the same in a stateless revision, where a resource is not found by invalid parameters",
    async (method, params) => {
      const { uri }: Said = params;
      const headers = uri === undefined ? {} : { "mcp-name": uri };
      const [first, second] = await Promise.all(
        ["having", "lacking"].map((name) =>
          send(`${rig.url}/mcp/${name}`, stateless(ask(method, params), headers)),
        ),
      );
      expect(first?.text).toBe(second?.text);
      expect(first?.json.error.code).toBe(-32602);
      expect([having.received, lacking.received]).toEqual([[], []]);
    },
  );

  it.each(LISTS)("%s: the same bytes", async (method) => {
    const [first, second] = await Promise.all(
      ["having", "lacking"].map((name) => send(`${rig.url}/mcp/${name}`, { body: ask(method) })),
    );
    expect(first?.text).toBe(second?.text);
    expect(first?.text).toContain("shown");
  });
});

describe("dot segments, look-alikes and what hides a separator in a URI below a granted prefix", () => {
  it.each([
    "repo://acme/payments/../hidden",
    "repo://acme/payments/%2e%2e/hidden",
    "repo://acme/payments/.%2E/hidden",
    "repo://acme/payments/..;/hidden",
    "repo://acme/payments/..\\hidden",
    "repo://acme/payments/..%2fhidden",
    "repo://acme/payments//etc/passwd",
    "repo://acme/payments/ﬁle",
    "repo://acme/payments/a b",
    "REPO://acme/payments/shown",
    "repo://acme/pаyments/shown",
    "repo://acme/payments",
  ])("%s: not found", async (uri) => {
    for (const method of ["resources/read", "resources/subscribe"]) {
      const { error } = (await send(`${rig.url}/mcp/having`, { body: ask(method, { uri }) })).json;
      expect(error).toEqual({ code: -32002, message: "Resource not found", data: { uri } });
    }
    expect(having.received).toEqual([]);
  });

  it.each(["shоwn", "Shown", "shown ", "ѕhown", "show\u200bn"])("prompt %j: unknown", async (name) => {
    const { error } = (await send(`${rig.url}/mcp/having`, { body: ask("prompts/get", { name }) })).json;
    expect(error).toEqual({ code: -32602, message: `Unknown prompt: ${name}` });
    expect(having.received).toEqual([]);
  });

  it("a NUL in a URI: no message", async () => {
    const uri = "repo://acme/payments/a\u0000/../../hidden";
    expect((await send(`${rig.url}/mcp/having`, { body: ask("resources/read", { uri }) })).status).toBe(400);
  });
});

describe("a template", () => {
  it.each([
    ["repo://acme/payments/{path}", true],
    ["repo://acme/payments/{+path}", true],
    ["repo://acme/payments/shown", true],
    ["repo://acme/payments/{path}/../../{x}", false],
    ["repo://acme/{repository}/shown", false],
    ["repo://acme/payments{/path}", false],
    ["{+uri}", false],
    ["repo://{owner}/payments/shown", false],
  ])(
    "%s that can make what is not granted is hidden, and completes nothing: visible %s",
    async (uri, visible) => {
      having.things.resourceTemplates = [{ uriTemplate: uri, name: "t" }];
      const url = `${rig.url}/mcp/having`;
      const listed = await send(url, { body: ask("resources/templates/list") });
      expect(listed.json.result.resourceTemplates).toHaveLength(visible ? 1 : 0);
      const ref = { type: "ref/resource", uri };
      await send(url, { body: ask("completion/complete", { ref, argument }) });
      expect(having.sent("completion/complete")).toHaveLength(visible ? 1 : 0);
    },
  );

  it("is not covered by a grant of the one URI that it begins with", async () => {
    await using exact = await startRig({
      servers: { one: { transport: "http", url: having.url } },
      grants: [{ server: "one", resources: ["repo://acme/payments/"] }],
    });
    const listed = await send(`${exact.url}/mcp/one`, { body: ask("resources/templates/list") });
    expect(listed.json.result.resourceTemplates).toEqual([]);
  });
});

describe("completion as an oracle", () => {
  it.each([
    [{ type: "ref/prompt", name: "shown", Name: "hidden" }],
    [{ type: "ref/prompt", name: "shown", uri: "repo://acme/hidden/{path}" }],
    [{ type: "ref/prompt", name: "hidden", title: "shown" }],
    [{ type: "ref/resource", uri: "repo://acme/payments/{path}", name: "hidden" }],
    [{ type: "ref/tool", name: "shown" }],
    [{ type: "ref/prompt", Name: "hidden" }],
    [{ type: "ref/prompt", name: "shown\u0000hidden" }],
  ])("with a reference that could be read in two ways, or names another: %j", async (ref) => {
    const got = await send(`${rig.url}/mcp/having`, { body: ask("completion/complete", { ref, argument }) });
    expect(got.json.error.code).toSatisfy((code: number) => [-32600, -32602].includes(code));
    expect(having.received).toEqual([]);
  });

  it("of arguments that the prompt's condition refuses", async () => {
    await using limited = await startRig({
      servers: { one: { transport: "http", url: having.url } },
      grants: [{ server: "one", prompts: ["shown"], when: 'args.repo == "payments"' }],
    });
    const complete = async (params: object): Promise<Said> => {
      const ref = { type: "ref/prompt", name: "shown" };
      return (await send(`${limited.url}/mcp/one`, { body: ask("completion/complete", { ref, ...params }) }))
        .json;
    };
    const issue = { name: "issue", value: "1" };
    const context = (repo: string): object => ({ context: { arguments: { repo } } });
    expect((await complete({ argument: issue })).error.message).toContain("triager#1");
    expect((await complete({ argument: issue, ...context("secrets") })).error.message).toContain("triager#1");
    expect(
      (await complete({ argument: { name: "repo", value: "secrets" }, ...context("payments") })).error,
    ).toBeDefined();
    expect(having.received).toEqual([]);
    expect(
      (await complete({ argument: issue, ...context("payments") })).result.completion.values,
    ).toHaveLength(2);
  });
});

it("subscription to an ungranted resource: not made, and what the server says of it all the same is not heard", async () => {
  const url = `${rig.url}/mcp/having`;
  const fields = await shakeHands(url);
  const stream = await openStream(url, { headers: fields });
  const uri = "repo://acme/hidden";
  await send(url, { headers: fields, body: ask("resources/subscribe", { uri }) });
  expect(having.sent("resources/subscribe")).toEqual([]);
  await send(url, { headers: fields, body: ask("prompts/list") });
  having.say("notifications/resources/updated", { uri });
  having.things.prompts.splice(1, 1);
  having.say("notifications/prompts/list_changed");
  await expect
    .poll(() => stream.messages.map(({ method }) => method))
    .toEqual(["notifications/prompts/list_changed"]);
  stream.close();
});

it("a kind of which nothing is granted: its methods do not exist, and its changes are not heard", async () => {
  await using only = await startRig({
    servers: { one: { transport: "http", url: having.url } },
    grants: [{ server: "one", prompts: ["shown"] }],
  });
  const url = `${only.url}/mcp/one`;
  for (const method of [
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "resources/subscribe",
  ]) {
    const { error } = (await send(url, { body: ask(method, { uri: "repo://acme/hidden" }) })).json;
    expect(error).toEqual({ code: -32601, message: "Method not found" });
  }
  expect(having.received).toEqual([]);
  const fields = await shakeHands(url);
  const stream = await openStream(url, { headers: fields });
  for (const method of LISTS) {
    await send(url, { headers: fields, body: ask(method) });
  }
  Object.values(having.things).forEach((entries) => entries.pop());
  for (const kind of ["tools", "resources", "prompts"]) {
    having.say(`notifications/${kind}/list_changed`);
  }
  await expect
    .poll(() => stream.messages.map(({ method }) => method))
    .toEqual(["notifications/prompts/list_changed"]);
  stream.close();
});
