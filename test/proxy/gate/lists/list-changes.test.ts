/** A server says that its lists changed: what an agent hears of it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStream, type OpenStream } from "../../open-stream.ts";
import {
  call,
  OTHER_TOKEN,
  type Rig,
  type RigOptions,
  type Said,
  send,
  shakeHands,
  startRig,
  stateless,
} from "../../rig.ts";
import { startThingServer, type Things, type ThingServer } from "../../thing-server.ts";

const KINDS = {
  tools: [["tools", "tools/list"]],
  resources: [
    ["resources", "resources/list"],
    ["resourceTemplates", "resources/templates/list"],
  ],
  prompts: [["prompts", "prompts/list"]],
} as const;
type KindName = keyof typeof KINDS;
const CASES = (["handshake", "stateless"] as const).flatMap((era) =>
  (["tools", "resources", "prompts"] as const).flatMap((kind) =>
    KINDS[kind].map(([member]) => [era, kind, member] as const),
  ),
);

const named = (name: string, more: object = {}): Record<keyof Things, Said> => ({
  tools: { name, ...more },
  resources: { uri: `repo://${name}/a`, name, ...more },
  resourceTemplates: { uriTemplate: `repo://${name}/{x}`, name, ...more },
  prompts: { name, ...more },
});
const WISHES = { toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true };
const changedOf = (kind: KindName): string => `notifications/${kind}/list_changed`;
const ask = (method: string, params: object = {}, id: string | number = 1): Said => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});

let server: ThingServer;
let rig: Rig;
let url: string;
const streams: OpenStream[] = [];

async function start(options: Partial<RigOptions> = {}): Promise<void> {
  rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [
      {
        server: "one",
        tools: ["shown", "more"],
        resources: ["repo://shown/*", "repo://more/*"],
        prompts: ["shown", "more"],
      },
    ],
    ...options,
  });
  url = `${rig.url}/mcp/one`;
}

beforeEach(async () => {
  const { tools, resources, resourceTemplates, prompts } = named("shown");
  server = await startThingServer({
    ...{ tools: [tools], resources: [resources], resourceTemplates: [resourceTemplates], prompts: [prompts] },
  });
  await start();
});
afterEach(async () => {
  streams.splice(0).forEach((stream) => stream.close());
  await rig.close();
  await server.close();
});

interface Agent {
  readonly heard: readonly string[];
  readonly messages: OpenStream["messages"];
  list(method: string): Promise<Said[]>;
}

/** One that is connected and listens; it has asked for no list yet. */
async function connect(era: "handshake" | "stateless", token?: string): Promise<Agent> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const before = server.streams.length;
  const fields =
    era === "handshake" ? await shakeHands(url, token === undefined ? {} : { token }) : authorization;
  const stream =
    era === "handshake"
      ? await openStream(url, { headers: fields })
      : await openStream(url, {
          method: "POST",
          ...stateless(ask("subscriptions/listen", { notifications: WISHES }, "s"), authorization),
        });
  streams.push(stream);
  await expect.poll(() => server.streams.length).toBe(before + 1);
  if (era === "stateless") {
    await expect.poll(() => stream.messages.length).toBe(1);
  }
  return {
    messages: stream.messages,
    get heard() {
      return stream.messages.map(({ method }) => method).filter((method) => method.endsWith("list_changed"));
    },
    list: async (method) => {
      const sent =
        era === "handshake" ? { headers: fields, body: ask(method) } : stateless(ask(method), authorization);
      const { result } = (await send(url, sent)).json;
      return Object.values<Said>(result).flat();
    },
  };
}

async function listAll(agent: Agent, kind: KindName): Promise<void> {
  for (const [, method] of KINDS[kind]) {
    await agent.list(method);
  }
}

const isAsked = (method: string, times: number): Promise<void> =>
  expect.poll(() => server.sent(method).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(times);
const methodOf = (kind: KindName, member: string): string =>
  KINDS[kind].find(([name]) => name === member)?.[1] ?? "";
/** A change that the agent hears: whatever was said before it has been decided by then. */
async function hearMore(agent: Agent, kind: KindName, member: keyof Things): Promise<void> {
  server.things[member].push(named("more")[member]);
  server.say(changedOf(kind));
  await expect.poll(() => agent.heard, { timeout: 20_000 }).toEqual([changedOf(kind)]);
}

describe.each(CASES)("in the era with %s, of %s (%s)", (era, kind, member) => {
  it("a hidden tool that comes or goes is not heard of", async () => {
    const agent = await connect(era);
    await listAll(agent, kind);
    const method = methodOf(kind, member);
    const hidden = named("hidden")[member];
    server.things[member].unshift(hidden);
    server.say(changedOf(kind));
    await isAsked(method, 2);
    server.things[member].shift();
    server.things[member].push({ ...hidden, description: "is another one" });
    server.say(changedOf(kind));
    await isAsked(method, 3);
    server.things[member].pop();
    await hearMore(agent, kind, member);
  });

  it("what comes, changes or goes of what is granted is heard, once each time", async () => {
    const agent = await connect(era);
    await listAll(agent, kind);
    const changes = [
      () => server.things[member].push(named("more")[member]),
      () => server.things[member].splice(1, 1, named("more", { unknown: 1 })[member]),
      () => server.things[member].pop(),
    ];
    for (const [index, change] of changes.entries()) {
      change();
      server.say(changedOf(kind));
      await expect.poll(() => agent.heard.length, { timeout: 20_000 }).toBe(index + 1);
    }
    const id =
      era === "stateless" ? { params: { _meta: { "io.modelcontextprotocol/subscriptionId": "s" } } } : {};
    expect(agent.messages.at(-1)).toEqual({ jsonrpc: "2.0", method: changedOf(kind), ...id });
  });
});

describe.each(["handshake", "stateless"] as const)("in the era with %s", (era) => {
  it("an agent that was given no list hears nothing: it has nothing that could be out of date", async () => {
    const agent = await connect(era);
    server.say(changedOf("tools"));
    server.say(changedOf("prompts"));
    await agent.list("prompts/list");
    await hearMore(agent, "prompts", "prompts");
    expect(server.sent("tools/list")).toEqual([]);
  });

  it("each agent hears of what it was given itself", async () => {
    const [one, other] = [await connect(era), await connect(era, OTHER_TOKEN)];
    await one.list("tools/list");
    server.things.tools.push(named("more").tools);
    await other.list("tools/list");
    server.say(changedOf("tools"));
    await expect.poll(() => one.heard, { timeout: 20_000 }).toEqual([changedOf("tools")]);
    await isAsked("tools/list", 4);
    server.things.prompts.push(named("more").prompts);
    await other.list("prompts/list");
    await hearMoreAsOther(other);
    expect(one.heard).toHaveLength(1);
  });

  async function hearMoreAsOther(other: Agent): Promise<void> {
    server.things.prompts.pop();
    server.say(changedOf("prompts"));
    await expect.poll(() => other.heard, { timeout: 20_000 }).toEqual([changedOf("prompts")]);
  }

  it("a list that was on its way while the server said it is looked at again", async () => {
    const agent = await connect(era);
    await agent.list("tools/list");
    const { tools } = server.things;
    const late = agent.list("tools/list");
    server.say(changedOf("tools"));
    await late;
    server.things.tools = [...tools, named("more").tools];
    server.say(changedOf("tools"));
    await expect.poll(() => agent.heard, { timeout: 20_000 }).toEqual([changedOf("tools")]);
  });

  it("a flood of notifications is answered with few looks, and calls go on", async () => {
    const agent = await connect(era);
    await agent.list("tools/list");
    for (let count = 0; count < 500; count++) {
      server.say(changedOf("tools"));
    }
    expect((await send(url, { body: call(1, "shown") })).json.result).toEqual({});
    server.things.tools.push(named("more").tools);
    server.say(changedOf("tools"));
    await expect.poll(() => agent.heard, { timeout: 20_000 }).toEqual([changedOf("tools")]);
    expect(server.sent("tools/list").length).toBeLessThan(20);
  });
});

describe("a look that fails", () => {
  it("tells nothing while it does, and what was missed after the next that goes well", async () => {
    await rig.close();
    await start({ limits: { lookTimeoutMs: 100 } });
    const agent = await connect("handshake");
    await agent.list("tools/list");
    await agent.list("prompts/list");
    const { tools } = server.things;
    server.things.tools = [...tools, named("more").tools, { title: "has no name" }];
    server.say(changedOf("tools"));
    await isAsked("tools/list", 2);
    server.things.prompts.push(named("more").prompts);
    server.say(changedOf("prompts"));
    await expect.poll(() => agent.heard, { timeout: 20_000 }).toEqual([changedOf("prompts")]);
    server.things.tools.pop();
    server.say(changedOf("tools"));
    await expect
      .poll(() => agent.heard, { timeout: 20_000 })
      .toEqual([changedOf("prompts"), changedOf("tools")]);
  });

  it("tells nothing of what cannot be recorded", async () => {
    const agent = await connect("handshake");
    await agent.list("tools/list");
    rig.recorder.fails = ({ kind }) => kind === "catalog";
    server.things.tools.push(named("more").tools);
    server.say(changedOf("tools"));
    await isAsked("tools/list", 2);
    rig.recorder.fails = () => false;
    await expect.poll(() => agent.heard, { timeout: 20_000 }).toEqual([changedOf("tools")]);
    expect(rig.recorder.of("catalog").at(-1)?.tools).toHaveLength(2);
  });

  it("is tried again a few times, and not for ever", async () => {
    const agent = await connect("handshake");
    await agent.list("tools/list");
    server.things.tools = [{ title: "has no name" }];
    server.say(changedOf("tools"));
    await isAsked("tools/list", 4);
    server.things.prompts.push(named("more").prompts);
    await agent.list("prompts/list");
    server.things.prompts.pop();
    server.say(changedOf("prompts"));
    await expect.poll(() => agent.heard, { timeout: 20_000 }).toEqual([changedOf("prompts")]);
    expect(server.sent("tools/list").length).toBeLessThan(12);
  });
});

describe("what the policy takes away", () => {
  const flow: Partial<RigOptions> = {
    grants: [
      { server: "one", tools: ["shown", "more"] },
      { server: "one", prompts: ["shown"] },
    ],
    policy: {
      flow: [{ rule: "triager~1", after: ["untrusted"], deny: ["public"] }],
      servers: { one: { reads: ["untrusted"], tools: { more: { writes: ["public"] } } } },
    },
  };

  it("is told by the gate as it happens, and is no change of the server's when a hidden tool comes later", async () => {
    await rig.close();
    server.things.tools.push(named("more").tools);
    await start(flow);
    const agent = await connect("handshake");
    await agent.list("tools/list");
    await agent.list("prompts/list");
    await send(url, { body: ask("prompts/get", { name: "shown" }) });
    await expect.poll(() => agent.heard, { timeout: 20_000 }).toEqual([changedOf("tools")]);
    server.things.tools.push(named("hidden").tools);
    server.say(changedOf("tools"));
    await isAsked("tools/list", 2);
    // What is lost already is as good as hidden.
    server.things.tools.splice(1, 1);
    server.things.prompts[0].title = "another";
    server.say(changedOf("tools"));
    server.say(changedOf("prompts"));
    await expect
      .poll(() => agent.heard, { timeout: 20_000 })
      .toEqual([changedOf("tools"), changedOf("prompts")]);
  });
});

it("an agent without a stream is told on the next that opens", async () => {
  const fields = await shakeHands(url);
  const first = await openStream(url, { headers: fields });
  streams.push(first);
  await expect.poll(() => server.streams.length).toBe(1);
  await send(url, { headers: fields, body: ask("tools/list") });
  server.things.tools.push(named("more").tools);
  server.say(changedOf("tools"));
  first.close();
  await isAsked("tools/list", 2);
  await expect
    .poll(
      async () => {
        const next = await openStream(url, { headers: fields });
        streams.push(next);
        return [...streams].flatMap(({ messages }) => messages.map(({ method }) => method));
      },
      { timeout: 20_000, interval: 200 },
    )
    .toEqual([changedOf("tools")]);
});
