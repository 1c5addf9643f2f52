/** Limits that one server has of its own: what is over them is refused or stopped, and nothing beside it. */
import { afterEach, describe, expect, it } from "vitest";
import type { ServerLimits } from "../../../policies/server-limits.ts";
import type { Limits } from "../../../proxy/limits.ts";
import type { ScriptedServer } from "../../support/mcp-scripted-http-server.ts";
import { openStream } from "../open-stream.ts";
import { call, type Rig, type Said, send, shakeHands, startRig, stateless } from "../rig.ts";
import { startThingServer, type ThingServer } from "../thing-server.ts";
import { startToolServer } from "../tool-server.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) {
    await each.close();
  }
});

interface Started<S> {
  readonly rig: Rig;
  readonly url: string;
  readonly server: S;
  /** Another server, with the limits that all have. */
  readonly other: string;
}

async function startLimited(own: ServerLimits, limits: Partial<Limits> = {}): Promise<Started<ThingServer>> {
  const server = await startThingServer({
    tools: [{ name: "echo", inputSchema: { type: "object" } }],
    resources: [{ uri: "note://1", name: "note" }],
  });
  return limit(server, own, limits);
}

async function limit<S extends ScriptedServer>(
  server: S,
  own: ServerLimits,
  limits: Partial<Limits> = {},
): Promise<Started<S>> {
  const things = { tools: ["echo"], resources: ["note://*"] };
  const rig = await startRig({
    servers: {
      one: { transport: "http", url: server.url, limits: own },
      other: { transport: "http", url: server.url },
    },
    grants: [
      { server: "one", ...things },
      { server: "other", ...things },
    ],
    limits,
  });
  open.push(server, rig);
  return { rig, server, url: `${rig.url}/mcp/one`, other: `${rig.url}/mcp/other` };
}

const reached = (rig: Rig): Said[] => rig.recorder.events("limit_reached").map(({ detail }) => detail);
const read = { jsonrpc: "2.0", id: 9, method: "resources/read", params: { uri: "note://1" } };
const list = { jsonrpc: "2.0", id: 8, method: "tools/list" };

describe("a server with a number of calls per minute", () => {
  it("gets no more; a tool's caller is told when to try again, and nothing of it is forwarded", async () => {
    const { rig, url, other, server } = await startLimited({ calls_per_minute: 2 });
    const headers = await shakeHands(url);
    for (const id of [1, 2]) {
      expect((await send(url, { headers, body: call(id, "echo") })).json.result.isError).toBeUndefined();
    }
    const refused = await send(url, { headers, body: call(3, "echo") });
    expect(refused.status).toBe(200);
    expect(refused.json.result.isError).toBe(true);
    const [{ text }] = refused.json.result.content;
    expect(text).toMatch(
      /^Refused: this session may make 2 calls a minute to the server "one"; try again in (?:60|[1-5]?\d) s\.$/,
    );
    expect(server.sent("tools/call")).toHaveLength(2);
    expect(rig.recorder.of("call").at(-1)).toMatchObject({ decision: "deny", reason: "server_limit" });
    expect(rig.recorder.of("call").at(-1)?.rule).toBeUndefined();
    expect(reached(rig)).toEqual([{ server: "one", limit: "calls_per_minute", count: 1 }]);
    expect((await send(url, { headers, body: list })).json.result.tools).toHaveLength(1);
    const others = await shakeHands(other);
    expect(
      (await send(other, { headers: others, body: call(1, "echo") })).json.result.isError,
    ).toBeUndefined();
  });

  it("says the same of what is no tool with HTTP's own status", async () => {
    const { url } = await startLimited({ calls_per_minute: 1 });
    const headers = await shakeHands(url);
    expect((await send(url, { headers, body: read })).status).toBe(200);
    const refused = await send(url, { headers, body: read });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(refused.json).toMatchObject({
      id: 9,
      error: { message: expect.stringContaining("one call a minute") },
    });
  });

  it("holds all agents to it together, in both eras", async () => {
    const { url } = await startLimited({ calls_per_minute: 1 });
    await send(url, { headers: await shakeHands(url), body: call(1, "echo") });
    const refused = await send(url, stateless(call(2, "echo")));
    expect(refused.json.result).toMatchObject({ isError: true, resultType: "complete" });
  });

  it("does not count what is refused for another reason, nor let it tell of the limit", async () => {
    const { rig, url } = await startLimited({ calls_per_minute: 1 });
    const headers = await shakeHands(url);
    for (const id of [1, 2, 3]) {
      const { json } = await send(url, { headers, body: call(id, "hidden") });
      expect(json.error.message).toBe("Unknown tool: hidden");
    }
    expect((await send(url, { headers, body: call(4, "echo") })).json.result.isError).toBeUndefined();
    expect((await send(url, { headers, body: call(5, "hidden") })).json.error.message).toBe(
      "Unknown tool: hidden",
    );
    expect(reached(rig)).toEqual([]);
  });
});

it("a server that is at work on as much as it may be gets nothing more, and the other goes on", async () => {
  const { rig, url, other, server } = await limit(await startToolServer(), { concurrent_calls: 1 });
  const [headers, others] = [await shakeHands(url), await shakeHands(other)];
  const held = Promise.withResolvers<undefined>();
  server.hold.set("tools/call", held.promise);
  const first = send(url, { headers, body: call(1, "echo") });
  await rig.recorder.waitFor(() => rig.recorder.of("call")[0]);
  const second = await send(url, { headers, body: call(2, "echo") });
  expect(second.status).toBe(200);
  expect(second.json.result.content[0].text).toContain("is at work on one request, as many as it may be");
  const listed = await send(url, { headers, body: list });
  expect([listed.status, listed.headers["retry-after"]]).toEqual([503, "1"]);
  expect((await send(url, { headers, body: read })).status).toBe(503);
  expect((await send(other, { headers: others, body: list })).status).toBe(200);
  held.resolve(undefined);
  expect((await first).json.result.isError).toBeUndefined();
  expect((await send(url, { headers, body: call(3, "echo") })).json.result.isError).toBeUndefined();
  expect(reached(rig)[0]).toEqual({ server: "one", limit: "concurrent_calls", count: 1 });
});

it("a request larger than its server takes is refused, and the other server takes it", async () => {
  const { rig, url, other, server } = await startLimited({ request_bytes: 4096 });
  const body = call(1, "echo", { text: "x".repeat(5_000) });
  expect((await send(url, stateless(body))).status).toBe(413);
  expect(server.sent("tools/call")).toHaveLength(0);
  expect((await send(other, stateless(body))).status).toBe(200);
  expect(reached(rig)).toEqual([{ server: "one", limit: "request_size", count: 1 }]);
});

it("an answer larger than its server may send fails its call alone", async () => {
  const { rig, url, other, server } = await startLimited({ answer_bytes: 65_536 });
  server.things.tools.push({ name: "large", description: "x".repeat(70_000) });
  const body = stateless(list);
  expect((await send(url, body)).json.error.message).toContain("too_large");
  expect((await send(url, stateless(call(1, "echo")))).json.result.isError).toBeUndefined();
  expect((await send(other, body)).json.result.tools).toHaveLength(1);
  expect(reached(rig)).toEqual([{ server: "one", limit: "answer_size", count: 1 }]);
});

it("a call that takes longer than its server may is over", async () => {
  const { rig, url, server } = await limit(await startToolServer(), { call_seconds: 1 });
  server.hold.set("tools/call", new Promise(() => undefined));
  expect((await send(url, stateless(call(1, "echo")))).json.error.message).toBe("The call took too long");
  expect(rig.recorder.of("result")[0]?.outcome).toBe("timeout");
  expect(reached(rig)).toEqual([{ server: "one", limit: "call_time", count: 1 }]);
});

describe("a stream on which nothing comes", () => {
  it.each(["GET", "subscriptions/listen"])(
    "(%s) is closed after its time, and can be opened again",
    async (method) => {
      const { rig, url, server } = await startLimited({}, { streamIdleMs: 300, keepAliveMs: 50 });
      const wanted =
        method === "GET"
          ? { headers: await shakeHands(url) }
          : {
              method: "POST",
              ...stateless({
                jsonrpc: "2.0",
                id: 1,
                method,
                params: { notifications: { toolsListChanged: true } },
              }),
            };
      const got = await send(
        url,
        method === "GET"
          ? { method, ...wanted, headers: { ...wanted.headers, accept: "text/event-stream" } }
          : wanted,
      );
      expect(got.status).toBe(200);
      expect(reached(rig)).toEqual([{ server: "one", limit: "stream_idle", count: 1 }]);
      const again = await openStream(url, wanted);
      again.close();
      expect(server.streams.length).toBeGreaterThanOrEqual(2);
    },
  );

  it("is not one on which the server says anything at all", async () => {
    const { rig, url, server } = await startLimited({}, { streamIdleMs: 1_500, keepAliveMs: 50 });
    const stream = await openStream(url, { headers: await shakeHands(url) });
    const until = performance.now() + 3_000;
    while (performance.now() < until) {
      server.streams.forEach((each) => each.write(": still here\n\n"));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(reached(rig)).toEqual([]);
    stream.close();
  });
});
