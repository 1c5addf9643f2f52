/** Lists that a server gives out in pages: an agent cannot tell from them what it is not shown. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  answerJson,
  openEvents,
  type Received,
  type ScriptedServer,
  startScriptedServer,
  writeMessage,
} from "../../../support/mcp-scripted-http-server.ts";
import fc from "../../../support/properties.ts";
import { openStream } from "../../open-stream.ts";
import {
  type Got,
  type Rig,
  type RigOptions,
  type Said,
  send,
  shakeHands,
  startRig,
  stateless,
} from "../../rig.ts";

const LISTS = [
  ["tools/list", "tools", "name", "shown-", "hidden-"],
  ["resources/list", "resources", "uri", "repo://shown/", "repo://hidden/"],
  ["resources/templates/list", "resourceTemplates", "uriTemplate", "repo://shown/{x}/", "repo://hidden/{x}/"],
  ["prompts/list", "prompts", "name", "shown-", "hidden-"],
] as const;
const ERAS = ["handshake", "stateless"] as const;
const GRANT = { tools: ["shown-*"], resources: ["repo://shown/*"], prompts: ["shown-*"] };

/** How servers write JSON, and how they say that there is no other page. */
const WRITINGS: Readonly<Record<string, (result: Said) => string>> = {
  compact: (result) => JSON.stringify(result),
  spaced: (result) => JSON.stringify(result, undefined, 1).replaceAll(/\n\s*/g, " "),
  "cursor first": ({ nextCursor, ...result }) => JSON.stringify({ nextCursor, ...result }),
  "null at the end": ({ nextCursor = null, ...result }) => JSON.stringify({ nextCursor, ...result, x: 1 }),
};

interface PagingServer extends ScriptedServer {
  entries: Said[];
  pageSize: number;
  writing: string;
  /** In place of its own answer to a list. */
  answer: ((received: Received, page: Said) => Said) | undefined;
  asked(): Said[];
}

async function startPagingServer(): Promise<PagingServer> {
  const scripted = await startScriptedServer((received, response) => {
    const { message } = received;
    if (message?.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const { id, method, params } = message;
    const list = LISTS.find(([name]) => name === method);
    if (list === undefined) {
      response.setHeader("mcp-session-id", `session-${scripted.received.length}`);
      const result = {
        protocolVersion: "2025-11-25",
        capabilities: {},
        serverInfo: { name: "p", version: "1" },
      };
      answerJson(response, { jsonrpc: "2.0", id, result });
      return;
    }
    const from = Number(params?.cursor?.split("#")[1] ?? 0);
    const next = from + server.pageSize;
    const following = server.entries[next];
    const page = {
      resultType: "complete",
      [list[1]]: server.entries.slice(from, next),
      _meta: { kept: "ü" },
      ...(following !== undefined && { nextCursor: `${following[list[2]]}#${next}` }),
    };
    const result = server.answer?.(received, page) ?? page;
    answerJson(
      response,
      `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${WRITINGS[server.writing]?.(result)}}`,
    );
  });
  const server: PagingServer = {
    ...scripted,
    ...{ entries: [], pageSize: 1, writing: "compact", answer: undefined },
    asked: () =>
      scripted.received.map(({ message }) => message).filter(({ method }) => method.endsWith("/list")),
  };
  return server;
}

let having: PagingServer;
let lacking: PagingServer;
let rig: Rig;
const at = (name: string): string => `${rig.url}/mcp/${name}`;

async function start(limits: RigOptions["limits"] = {}): Promise<void> {
  rig = await startRig({
    servers: {
      having: { transport: "http", url: having.url },
      lacking: { transport: "http", url: lacking.url },
    },
    grants: ["having", "lacking"].map((server) => ({ server, ...GRANT })),
    limits,
  });
}

beforeEach(async () => {
  having = await startPagingServer();
  lacking = await startPagingServer();
  await start();
});
afterEach(async () => {
  await rig.close();
  await having.close();
  await lacking.close();
});

const ask = (method: string, params: object = {}): Said => ({ jsonrpc: "2.0", id: 1, method, params });

async function list(name: string, method: string, era: (typeof ERAS)[number]): Promise<Got> {
  return era === "stateless"
    ? send(at(name), stateless(ask(method)))
    : send(at(name), { headers: await shakeHands(at(name)), body: ask(method) });
}

describe.each(ERAS)("in the era with %s requests", (era) => {
  it.each(LISTS)(
    "%s: a server with hidden entries and one without give the same bytes, however they page and write",
    async (method, _member, nameMember, shown, hidden) => {
      const arrangement = fc.record({
        visible: fc.array(fc.boolean(), { maxLength: 8 }),
        pageSize: fc.integer({ min: 1, max: 4 }),
        writing: fc.constantFrom(...Object.keys(WRITINGS)),
      });
      await fc.assert(
        fc.asyncProperty(arrangement, async ({ visible, pageSize, writing }) => {
          const entries = visible.map((isVisible, index) => ({
            [nameMember]: `${isVisible ? shown : hidden}${index}`,
            description: 'says, "}],[{" ü',
            x: [index],
          }));
          having.entries = entries;
          lacking.entries = entries.filter((_, index) => visible[index]);
          for (const server of [having, lacking]) {
            Object.assign(server, { pageSize, writing });
          }
          const [first, second] = [await list("having", method, era), await list("lacking", method, era)];
          expect(first.text).toBe(second.text);
          expect(first.json.result[LISTS.find(([name]) => name === method)?.[1] ?? ""]).toEqual(
            lacking.entries,
          );
          expect(first.json.result.nextCursor ?? null).toBeNull();
          expect(first.json.result._meta).toEqual({ kept: "ü" });
        }),
        { numRuns: 25 },
      );
    },
  );
});

it("a page is asked for as the first one was, under an id of its own, and its progress is not told", async () => {
  having.entries = [{ name: "hidden-1" }, { name: "shown-2" }, { name: "hidden-3" }];
  const request = stateless(ask("tools/list"));
  await send(at("having"), request);
  const [first, ...others] = having.asked();
  expect(others.map(({ params }) => params.cursor)).toEqual(["shown-2#1", "hidden-3#2"]);
  for (const { params } of others) {
    expect(params._meta).toEqual(first.params._meta);
  }
  const fields = await shakeHands(at("having"));
  await send(at("having"), { headers: fields, body: ask("tools/list", { _meta: { progressToken: 7 } }) });
  const [again, ...more] = having.asked().slice(3);
  expect(again.params._meta).toEqual({ progressToken: 7 });
  expect(more.map(({ params }) => params._meta)).toEqual([{}, {}]);
  expect(new Set([again, ...more].map(({ id }) => id)).size).toBe(3);
  const sent = having.received.slice(-2).map(({ headers }) => headers["mcp-session-id"]);
  expect(sent).toEqual([fields["mcp-session-id"], fields["mcp-session-id"]]);
});

it.each(["hidden-1#1", "", 1, null])(
  "a cursor of the agent's own making (%j) is refused without asking the server: none is ever given out",
  async (cursor) => {
    having.entries = [{ name: "shown-0" }, { name: "hidden-1" }];
    for (const [method] of LISTS) {
      const { error } = (await send(at("having"), { body: ask(method, { cursor }) })).json;
      expect(error).toEqual({ code: -32602, message: "Invalid cursor" });
    }
    expect(having.received).toEqual([]);
  },
);

describe("a list that cannot be read to its end is not shown, and says nothing of the rest", () => {
  const fails = async (): Promise<void> => {
    const got = await send(at("having"), { body: ask("tools/list") });
    expect(got.json.error.message).toBe('The server "having" sent a list of tools that cannot be read');
    expect(got.text).not.toMatch(/shown|hidden|nextCursor/);
    expect(rig.recorder.of("catalog")).toEqual([]);
  };

  it("since it has no end", async () => {
    await rig.close();
    await start({ maxListed: 20 });
    having.answer = (_, page) => ({ ...page, tools: [], nextCursor: `hidden-${having.received.length}` });
    await fails();
    expect(having.asked()).toHaveLength(20);
  });

  it("since it has more entries than can be known", async () => {
    await rig.close();
    await start({ maxListed: 20 });
    having.pageSize = 7;
    having.entries = Array.from({ length: 21 }, (_, index) => ({ name: `hidden-${index}` }));
    await fails();
    having.entries.pop();
    expect((await send(at("having"), { body: ask("tools/list") })).json.result.tools).toEqual([]);
  });

  it("since the pages together are longer than a message may be", async () => {
    await rig.close();
    await start({ maxAnswerBytes: 10_000 });
    having.entries = Array.from({ length: 4 }, (_, index) => ({
      name: `shown-${index}`,
      x: "x".repeat(3_000),
    }));
    await fails();
  });

  it.each<[string, NonNullable<PagingServer["answer"]>]>([
    [
      "a page is none",
      (received, page) => (received.message.params?.cursor === undefined ? page : { hidden: 1 }),
    ],
    [
      "a page stands twice",
      (received, page) =>
        received.message.params?.cursor === undefined ? page : { ...page, tools: { hidden: 1 } },
    ],
    ["a cursor is no text", (_, page) => ({ ...page, nextCursor: 7 })],
  ])("since %s", async (_, answer) => {
    having.entries = [{ name: "shown-0" }, { name: "hidden-1" }];
    having.answer = answer;
    await fails();
  });
});

it("a server that gives its last page again and again has come to its end", async () => {
  having.answer = () => ({ tools: [{ name: "shown-1" }], nextCursor: "" });
  const got = await send(at("having"), { body: ask("tools/list") });
  expect(got.json.result).toEqual({ tools: [{ name: "shown-1" }] });
  expect(having.asked()).toHaveLength(2);
});

describe("a server that answers lists on streams", () => {
  let streaming: ScriptedServer;
  let own: Rig;
  let closed: number;
  let givesMore: boolean;

  beforeEach(async () => {
    [closed, givesMore] = [0, true];
    streaming = await startScriptedServer(({ message }, response) => {
      if (message.id === undefined) {
        response.writeHead(202).end();
        return;
      }
      response.on("close", () => {
        closed++;
      });
      const events = openEvents(response);
      const isFirst = message.params?.cursor === undefined;
      const params = { progressToken: 1, progress: 1 };
      writeMessage(events, { jsonrpc: "2.0", method: "notifications/progress", params });
      if (isFirst || givesMore) {
        const tools = [{ name: isFirst ? "shown-1" : "shown-2" }];
        const result = { tools, ...(isFirst && { nextCursor: "2" }) };
        writeMessage(events, { jsonrpc: "2.0", id: message.id, result });
      }
    });
    own = await startRig({
      servers: { one: { transport: "http", url: streaming.url } },
      grants: [{ server: "one", ...GRANT }],
    });
  });
  afterEach(async () => {
    await own.close();
    await streaming.close();
  });

  it("and holds them open: the list comes, and no stream of it is kept", async () => {
    const got = await send(`${own.url}/mcp/one`, { body: ask("tools/list") });
    expect(got.events.at(-1).result).toEqual({ tools: [{ name: "shown-1" }, { name: "shown-2" }] });
    await expect.poll(() => closed, { timeout: 20_000 }).toBe(2);
  });

  it("is not asked on once the agent has gone", async () => {
    givesMore = false;
    const stream = await openStream(`${own.url}/mcp/one`, { method: "POST", body: ask("tools/list") });
    await expect.poll(() => streaming.received.length, { timeout: 20_000 }).toBe(2);
    stream.close();
    await expect.poll(() => closed, { timeout: 20_000 }).toBe(2);
    expect(stream.messages.some(({ result }) => result !== undefined)).toBe(false);
    expect(own.recorder.of("catalog")).toEqual([]);
  });
});
