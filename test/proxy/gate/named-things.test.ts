/** Resources, templates, prompts and completions: decided, shown, recorded and refused as tools are. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compilePolicy } from "../../../policies/compilation.ts";
import { openStream } from "../open-stream.ts";
import { type Rig, type Said, send, shakeHands, startRig, stateless } from "../rig.ts";
import { startThingServer, type ThingServer } from "../thing-server.ts";

const RESOURCES = [
  {
    uri: "repo://acme/payments/README",
    name: "readme",
    mimeType: "text/plain",
    annotations: { priority: 1 },
  },
  { uri: "repo://acme/secrets/key", name: "key" },
  { uri: "note://one", name: "one" },
];
const TEMPLATES = [
  { uriTemplate: "repo://acme/payments/{path}", name: "a file" },
  { uriTemplate: "repo://acme/{repository}/{path}", name: "any file" },
  { uriTemplate: "note://{name}", name: "any note" },
];
const PROMPTS = [
  { name: "triage", title: "Triage", arguments: [{ name: "issue", required: true }] },
  { name: "exfiltrate" },
];

let server: ThingServer;
let rig: Rig;
let url: string;

beforeEach(async () => {
  server = await startThingServer({
    tools: [{ name: "echo" }],
    resources: RESOURCES,
    resourceTemplates: TEMPLATES,
    prompts: PROMPTS,
  });
  rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [
      { server: "one", resources: ["repo://{run.repository}/*"] },
      { server: "one", resources: ["note://one"], limit: 2 },
      { server: "one", prompts: ["triage"], when: 'args.issue != "13"', arguments: "redacted" },
    ],
    policy: { servers: { one: { reads: ["untrusted"] } } },
  });
  url = `${rig.url}/mcp/one`;
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

const ask = (method: string, params: object = {}): Said => ({ jsonrpc: "2.0", id: 1, method, params });
const askFor = async (method: string, params: object = {}): Promise<Said> =>
  (await send(url, { body: ask(method, params) })).json;

describe("a list", () => {
  it("of resources holds what is granted, with every member that nobody here knows", async () => {
    expect((await askFor("resources/list")).result).toEqual({ resources: [RESOURCES[0], RESOURCES[2]] });
  });

  it("of templates holds those of which a granted prefix covers every URI that they can make", async () => {
    expect((await askFor("resources/templates/list")).result).toEqual({ resourceTemplates: [TEMPLATES[0]] });
  });

  it("of prompts holds what is granted, whatever its condition", async () => {
    expect((await askFor("prompts/list")).result).toEqual({ prompts: [PROMPTS[0]] });
  });

  it("is on the log, with what is hidden and why", async () => {
    await askFor("resources/list");
    await askFor("resources/templates/list");
    await askFor("prompts/list");
    const [resources, templates, prompts] = rig.recorder.of("catalog");
    expect(resources?.resources?.map(({ name, visible, why }) => [name, visible, why])).toEqual([
      ["repo://acme/payments/README", true, "triager#1"],
      ["repo://acme/secrets/key", false, "no_grant"],
      ["note://one", true, "triager#2"],
    ]);
    expect(templates?.resource_templates?.map(({ visible }) => visible)).toEqual([true, false, false]);
    expect(prompts?.prompts?.map(({ name, visible }) => [name, visible])).toEqual([
      ["triage", true],
      ["exfiltrate", false],
    ]);
  });

  it("loses what is invisible in titles and descriptions, and the log says so", async () => {
    const hidden = "look\u{e0041}\u200b here";
    server.things.prompts = [
      { name: "triage", description: hidden, arguments: [{ name: "issue", description: hidden }] },
    ];
    server.things.resources = [{ uri: "note://one", name: "one", title: hidden }];
    const { prompts } = (await askFor("prompts/list")).result;
    expect(prompts).toEqual([
      { name: "triage", description: "look here", arguments: [{ name: "issue", description: "look here" }] },
    ]);
    expect((await askFor("resources/list")).result.resources[0].title).toBe("look here");
    expect(rig.recorder.events("text_cleaned").map(({ detail }) => detail)).toEqual([
      { server: "one", prompt: "triage", removed: { tag: 2, zero_width: 2 } },
      { server: "one", resource: "note://one", removed: { tag: 1, zero_width: 1 } },
    ]);
  });
});

describe("a use", () => {
  it("of a resource is recorded with its URI, its rule and what the session has read by it", async () => {
    const uri = "repo://acme/payments/README";
    expect((await askFor("resources/read", { uri })).result.contents[0].text).toBe(`it is ${uri}`);
    expect(rig.recorder.of("call")).toMatchObject([
      {
        method: "resources/read",
        resource: uri,
        decision: "allow",
        rule: "triager#1",
        labels: ["untrusted"],
      },
    ]);
    expect(rig.recorder.of("call")[0]).not.toHaveProperty("tool");
    expect(rig.recorder.of("result")).toMatchObject([{ outcome: "ok" }]);
  });

  it("of a resource that only a template makes is decided on its URI alone: the server says whether it is there", async () => {
    const answered = await askFor("resources/read", { uri: "repo://acme/payments/none" });
    expect(answered.error.message).toBe("no such resource here");
    expect(server.sent("resources/read")).toHaveLength(1);
  });

  it("of a prompt is decided by its arguments, of which the log holds what its grant says", async () => {
    const got = await askFor("prompts/get", { name: "triage", arguments: { issue: "12" } });
    expect(got.result.messages[0].content.text).toBe("be triage");
    const refused = await askFor("prompts/get", { name: "triage", arguments: { issue: "13" } });
    expect(refused.error).toEqual({
      code: -32602,
      message:
        'Refused by rule triager#3: its condition does not hold for these arguments: args.issue != "13"',
    });
    expect(rig.recorder.of("call")).toMatchObject([
      { method: "prompts/get", prompt: "triage", decision: "allow", arguments: { issue: "[withheld]" } },
      { method: "prompts/get", prompt: "triage", decision: "deny", reason: "condition_false" },
    ]);
    expect(server.sent("prompts/get")).toHaveLength(1);
  });

  it("of a prompt passes with the resource that the server put into it: it is part of what was granted", async () => {
    server.embedded = { type: "resource", resource: { uri: "repo://acme/secrets/key", text: "inside" } };
    const got = await askFor("prompts/get", { name: "triage", arguments: { issue: "12" } });
    expect(got.result.messages[0].content).toEqual(server.embedded);
    const { uri } = server.embedded.resource;
    expect((await askFor("resources/read", { uri })).error.message).toBe("Resource not found");
  });

  it("counts against the limit of its grant, whichever method it is", async () => {
    const uri = "note://one";
    const fields = await shakeHands(url);
    const got = async (method: string): Promise<Said> =>
      (await send(url, { headers: fields, body: ask(method, { uri }) })).json;
    expect((await got("resources/subscribe")).result).toEqual({});
    expect((await got("resources/read")).result.contents).toHaveLength(1);
    expect((await got("resources/read")).error).toEqual({
      code: -32603,
      message: "Refused by rule triager#2: this session has used up all 2 calls that its limit allows.",
    });
    // Giving something up is always possible.
    expect((await got("resources/unsubscribe")).result).toEqual({});
    expect(rig.recorder.of("call").map(({ decision }) => decision)).toEqual([
      "allow",
      "allow",
      "deny",
      "allow",
    ]);
  });

  it("that cannot be recorded is not forwarded", async () => {
    rig.recorder.fails = ({ kind }) => kind === "call";
    const answered = await askFor("resources/read", { uri: "note://one" });
    expect(answered.error.code).toBe(-32603);
    expect(server.received).toEqual([]);
  });

  it.each([
    ["resources/read", {}],
    ["resources/read", { uri: 7 }],
    ["prompts/get", { name: "triage", arguments: "x" }],
    ["prompts/get", { name: "triage", arguments: null }],
    ["completion/complete", { ref: { type: "ref/prompt", name: "triage" } }],
    ["completion/complete", { ref: "triage", argument: { name: "a", value: "b" } }],
  ])("of %s that is not well-formed is refused: %j", async (method, params) => {
    const { code, message } = (await askFor(method, params)).error;
    expect([code, message]).toEqual([-32602, expect.stringMatching(`^Invalid params: ${method} takes `)]);
    expect(server.received).toEqual([]);
  });
});

describe("capabilities", () => {
  it("are those of the kinds of which something is granted, flags included", async () => {
    const { capabilities } = (await askFor("initialize", { protocolVersion: "2025-11-25", capabilities: {} }))
      .result;
    expect(capabilities).toEqual({
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      completions: {},
    });
    const discovered = await send(url, stateless(ask("server/discover")));
    expect(discovered.json.result.capabilities).toEqual(capabilities);
  });

  it.each([{ tools: {} }, { tools: { listChanged: false } }, { tools: { listChanged: true } }])(
    "say that tools can change where a flow rule can take one away: %j",
    async (capabilities) => {
      server.capabilities = capabilities;
      await using losing = await startRig({
        servers: { one: { transport: "http", url: server.url } },
        grants: [{ server: "one", tools: ["echo"] }],
        policy: {
          flow: [{ rule: "triager~1", after: ["untrusted"], deny: ["public"] }],
          servers: { one: { tools: { echo: { writes: ["public"] } } } },
        },
      });
      const body = ask("initialize", { protocolVersion: "2025-11-25", capabilities: {} });
      const said = await send(`${losing.url}/mcp/one`, { body });
      expect(said.json.result.capabilities).toEqual({ tools: { listChanged: true } });
    },
  );
});

it("tools that a flow rule can take away are part of what a subscription is told to hear of, though the server never says", async () => {
  await using losing = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [
      { server: "one", tools: ["echo"] },
      { server: "one", prompts: ["triage"] },
    ],
    policy: {
      flow: [{ rule: "triager~1", after: ["untrusted"], deny: ["public"] }],
      servers: { one: { reads: ["untrusted"], tools: { echo: { writes: ["public"] } } } },
    },
  });
  server.honours = {};
  const mine = `${losing.url}/mcp/one`;
  await send(mine, stateless(ask("tools/list")));
  const body = stateless(ask("subscriptions/listen", { notifications: { toolsListChanged: true } }));
  const stream = await openStream(mine, { method: "POST", ...body });
  await expect.poll(() => stream.messages[0]?.params.notifications).toEqual({ toolsListChanged: true });
  await send(mine, stateless(ask("prompts/get", { name: "triage" })));
  await expect.poll(() => stream.messages[1]?.method).toBe("notifications/tools/list_changed");
  expect((await send(mine, stateless(ask("tools/list")))).json.result.tools).toEqual([]);
  stream.close();
});

describe("a change of a resource", () => {
  const uri = "repo://acme/payments/README";
  const updated = (of: string): Said => ({
    jsonrpc: "2.0",
    method: "notifications/resources/updated",
    params: { uri: of },
  });

  it("is heard by the session that subscribed to it, and of its parts", async () => {
    const fields = await shakeHands(url);
    const stream = await openStream(url, { headers: fields });
    const othersFields = await shakeHands(url);
    const others = await openStream(url, { headers: othersFields });
    await send(url, { headers: fields, body: ask("resources/subscribe", { uri }) });
    await send(url, { headers: fields, body: ask("resources/list") });
    await send(url, { headers: othersFields, body: ask("resources/list") });
    for (const of of ["note://one", `${uri}#part`, `${uri}2`, uri]) {
      server.say("notifications/resources/updated", { uri: of });
    }
    server.things.resources = RESOURCES.slice(0, 2);
    server.say("notifications/resources/list_changed");
    await expect.poll(() => stream.messages.length).toBe(3);
    expect(stream.messages.map(({ method, params }) => params?.uri ?? method)).toEqual([
      `${uri}#part`,
      uri,
      "notifications/resources/list_changed",
    ]);
    await expect
      .poll(() => others.messages.map(({ method }) => method))
      .toEqual(["notifications/resources/list_changed"]);
    stream.close();
    others.close();
  });

  it("is not heard any more once it is given up", async () => {
    const fields = await shakeHands(url);
    const stream = await openStream(url, { headers: fields });
    await send(url, { headers: fields, body: ask("resources/subscribe", { uri }) });
    await send(url, { headers: fields, body: ask("resources/unsubscribe", { uri }) });
    await send(url, { headers: fields, body: ask("prompts/list") });
    server.say("notifications/resources/updated", { uri });
    server.things.prompts = PROMPTS.slice(1);
    server.say("notifications/prompts/list_changed");
    await expect
      .poll(() => stream.messages.map(({ method }) => method))
      .toEqual(["notifications/prompts/list_changed"]);
    stream.close();
  });

  it("without sessions is heard on the stream that listens, for what was granted of it", async () => {
    const notifications = {
      ...{ toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true },
      resourceSubscriptions: [uri, "repo://acme/secrets/key"],
    };
    const stream = await openStream(url, {
      method: "POST",
      ...stateless(ask("subscriptions/listen", { notifications })),
    });
    await expect.poll(() => stream.messages.length).toBe(1);
    const honoured = { resourcesListChanged: true, promptsListChanged: true, resourceSubscriptions: [uri] };
    expect(server.sent("subscriptions/listen")[0]?.message.params.notifications).toEqual(honoured);
    expect(stream.messages[0].params.notifications).toEqual(honoured);
    for (const of of ["repo://acme/secrets/key", "note://one", uri]) {
      server.say("notifications/resources/updated", { uri: of });
    }
    await expect.poll(() => stream.messages.slice(1)).toEqual([updated(uri)]);
    expect(rig.recorder.of("call")).toMatchObject([
      { method: "subscriptions/listen", resource: uri, decision: "allow" },
      {
        method: "subscriptions/listen",
        resource: "repo://acme/secrets/key",
        decision: "deny",
        reason: "no_grant",
      },
    ]);
    stream.close();
    await expect.poll(() => rig.recorder.of("result").map(({ outcome }) => outcome)).toEqual(["ok"]);
  });

  it("needs no request in a revision that listens: there is none of that name", async () => {
    const got = await send(url, stateless(ask("resources/subscribe", { uri })));
    expect(got).toMatchObject({ status: 404, json: { error: { code: -32601 } } });
    expect(server.received).toEqual([]);
  });
});

it("a policy that takes a prompt away tells the agents, by the kind", async () => {
  await askFor("prompts/list");
  await askFor("resources/list");
  const stream = await openStream(url, { headers: await shakeHands(url) });
  const grants = [
    { rule: "triager#1", server: "one", resources: ["repo://{run.repository}/*", "note://one"] },
  ];
  rig.changePolicy(
    await compilePolicy(
      {
        ...{ v: 1, robot: "acme/payments/triager", roles: [], mode: "enforce", flow: [] },
        ...{ grants, servers: { one: {} } },
      },
      { claims: { repository: "acme/payments" } },
    ),
  );
  await expect
    .poll(() => stream.messages.map(({ method }) => method))
    .toEqual(["notifications/prompts/list_changed"]);
  expect(
    rig.recorder
      .of("catalog")
      .at(-1)
      ?.prompts?.map(({ visible }) => visible),
  ).toEqual([false, false]);
  stream.close();
});
