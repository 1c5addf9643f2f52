/** Information flow and limits: what a session has asked for decides what is left to it, whoever of it asks. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { openStream, type OpenStream } from "../open-stream.ts";
import { call, OTHER_TOKEN, type Rig, send, shakeHands, startRig, stateless } from "../rig.ts";
import { startToolServer, type ToolServer } from "../tool-server.ts";

const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const CHANGED = "notifications/tools/list_changed";
const UNKNOWN = { code: -32602, message: "Unknown tool: post" };

let issues: ToolServer;
let web: ToolServer;
let rig: Rig;
const streams: OpenStream[] = [];
const at = (server: string): string => `${rig.url}/mcp/${server}`;
const names = (list: { json: { result: { tools: { name: string }[] } } }): string[] =>
  list.json.result.tools.map(({ name }) => name);

beforeEach(async () => {
  issues = await startToolServer([{ name: "read" }, { name: "peek" }, { name: "post" }, { name: "once" }]);
  web = await startToolServer([{ name: "post" }, { name: "look" }]);
  rig = await startRig({
    servers: {
      issues: { transport: "http", url: issues.url },
      web: { transport: "http", url: web.url },
    },
    grants: [
      { server: "issues", tools: ["read", "post", "peek"] },
      { server: "web", tools: ["look"] },
      { server: "web", tools: ["post"], arguments: "digest" },
      { server: "issues", tools: ["once"], limit: 1 },
    ],
    policy: {
      flow: [{ rule: "triager~1", after: ["untrusted", "private"], deny: ["public"] }],
      servers: {
        issues: {
          tools: {
            read: { reads: ["untrusted"] },
            peek: { reads: ["private"] },
            post: { writes: ["public"] },
          },
        },
        web: { writes: ["public"], tools: { look: { writes: [] } } },
      },
    },
  });
});

afterEach(async () => {
  streams.splice(0).forEach((stream) => stream.close());
  await rig.close();
  await Promise.all([issues.close(), web.close()]);
});

it("a result that tells the agent to post to a public sink: the sink is gone once untrusted content was read", async () => {
  expect((await send(at("issues"), { body: call(1, "post") })).json.result.content[0].text).toBe("did post");
  await send(at("issues"), { body: call(2, "read") });
  const refused = await send(at("issues"), { body: call(3, "post") });
  const unknown = await send(at("issues"), { body: call(3, "never") });
  expect(refused.json.error).toEqual(UNKNOWN);
  expect(refused.text).toBe(unknown.text.replace("never", "post"));
  expect(issues.sent("tools/call").map(({ message }) => message.params.name)).toEqual(["post", "read"]);
  const calls = rig.recorder.of("call");
  expect(calls[1]).toMatchObject({ decision: "allow", labels: ["untrusted"] });
  expect(calls[2]).toMatchObject({ decision: "deny", reason: "flow", rule: "triager~1" });
});

it("private content, then a public sink, through two servers", async () => {
  await send(at("issues"), { body: call(1, "peek") });
  expect((await send(at("web"), { body: call(2, "post", { text: "the secret" }) })).json.error).toEqual(
    UNKNOWN,
  );
  expect(web.received).toEqual([]);
  const denied = rig.recorder.of("call")[1];
  expect(denied).toMatchObject({ reason: "flow", rule: "triager~1" });
  expect(denied).not.toHaveProperty("arguments");
});

it("private content, then a public sink, across two agents of one session", async () => {
  await send(at("issues"), { body: call(1, "peek") });
  const other = { authorization: `Bearer ${OTHER_TOKEN}` };
  expect((await send(at("web"), { body: call(2, "post"), headers: other })).json.error).toEqual(UNKNOWN);
  expect(names(await send(at("web"), { body: LIST, headers: other }))).toEqual(["look"]);
  expect(web.sent("tools/call")).toEqual([]);
});

it("a sink called in parallel with the read that taints: the label counts from the moment the read is recorded", async () => {
  const answered = Promise.withResolvers<void>();
  issues.hold.set("tools/call", answered.promise);
  const reading = send(at("issues"), { body: call(1, "read") });
  await rig.recorder.waitFor(() => rig.recorder.of("call")[0]);
  expect((await send(at("web"), { body: call(2, "post") })).json.error).toEqual(UNKNOWN);
  answered.resolve();
  expect((await reading).json.result.content[0].text).toBe("did read");
  expect(web.received).toEqual([]);
});

it("fifty sinks and one read at once: no sink is let through after the record of the read", async () => {
  const calls = Array.from({ length: 50 }, (_, index) =>
    send(at(index % 2 === 0 ? "web" : "issues"), { body: call(index, "post") }),
  );
  await Promise.all([
    ...calls.slice(0, 25),
    send(at("issues"), { body: call("r", "read") }),
    ...calls.slice(25),
  ]);
  const records = rig.recorder.of("call");
  const read = records.findIndex(({ tool }) => tool === "read");
  expect(records.slice(read + 1).filter(({ decision }) => decision === "allow")).toEqual([]);
  const posted = [...issues.sent("tools/call"), ...web.sent("tools/call")].length - 1;
  expect(posted).toBe(records.slice(0, read).filter(({ decision }) => decision === "allow").length);
});

it("a call in parallel with the last allowed one is refused, and says which rule and limit", async () => {
  const answered = Promise.withResolvers<void>();
  issues.hold.set("tools/call", answered.promise);
  const calls = Array.from({ length: 20 }, (_, index) => send(at("issues"), { body: call(index, "once") }));
  await rig.recorder.waitFor(() => rig.recorder.of("call")[19]);
  answered.resolve();
  const answers = await Promise.all(calls);
  expect(issues.sent("tools/call")).toHaveLength(1);
  const refused = answers.filter(({ json }) => json.result.isError === true);
  expect(refused).toHaveLength(19);
  expect(refused[0]?.json.result.content[0].text).toBe(
    "Refused by rule triager#4: this session has used up the one call that its limit allows.",
  );
  const denied = rig.recorder.of("call").filter(({ decision }) => decision === "deny");
  expect(denied).toHaveLength(19);
  expect(denied[0]).toMatchObject({ reason: "limit_reached", rule: "triager#4" });
});

it("a limit is one for all agents, and a call whose record fails uses up none of it", async () => {
  rig.recorder.fails = ({ kind }) => kind === "call";
  expect((await send(at("issues"), { body: call(1, "once") })).text).toContain("audit log cannot be written");
  rig.recorder.fails = () => false;
  const headers = { authorization: `Bearer ${OTHER_TOKEN}` };
  expect((await send(at("issues"), { body: call(2, "once"), headers })).json.result.isError).toBeUndefined();
  expect((await send(at("issues"), { body: call(3, "once") })).json.result.isError).toBe(true);
});

it("what is gone is said on every stream that can hear it, before the answer, and the log knows it", async () => {
  const fields = await shakeHands(at("web"));
  expect(names(await send(at("web"), { headers: fields, body: LIST }))).toEqual(["post", "look"]);
  await send(at("issues"), { body: LIST });
  const session = await openStream(at("web"), { headers: fields });
  const wishes = { notifications: { toolsListChanged: true } };
  const listening = { jsonrpc: "2.0", id: "s-1", method: "subscriptions/listen", params: wishes };
  const subscribed = await openStream(at("issues"), { method: "POST", ...stateless(listening) });
  const deaf = await openStream(at("issues"), {
    method: "POST",
    ...stateless({ ...listening, id: "s-2", params: { notifications: {} } }),
  });
  streams.push(session, subscribed, deaf);
  await expect.poll(() => subscribed.messages.length + deaf.messages.length).toBe(2);

  const answered = Promise.withResolvers<void>();
  issues.hold.set("tools/call", answered.promise);
  const reading = send(at("issues"), { body: call(1, "read") });
  await expect.poll(() => session.messages).toEqual([{ jsonrpc: "2.0", method: CHANGED }]);
  await expect
    .poll(() => subscribed.messages[1])
    .toEqual({
      jsonrpc: "2.0",
      method: CHANGED,
      params: { _meta: { "io.modelcontextprotocol/subscriptionId": "s-1" } },
    });
  answered.resolve();
  await reading;
  expect(names(await send(at("web"), { headers: fields, body: LIST }))).toEqual(["look"]);
  expect(names(await send(at("issues"), { body: LIST }))).toEqual(["read", "peek", "once"]);
  expect(deaf.messages).toHaveLength(1);
  const last = rig.recorder.of("catalog").findLast(({ server }) => server === "web");
  expect(last?.tools?.map(({ name, visible, why }) => [name, visible, why])).toEqual([
    ["post", false, "flow"],
    ["look", true, "triager#2"],
  ]);

  await send(at("issues"), { body: call(4, "peek") });
  expect(session.messages).toHaveLength(1);
});

it("a session without a stream is told on the next one that opens, once", async () => {
  const fields = await shakeHands(at("web"));
  await send(at("web"), { headers: fields, body: LIST });
  await send(at("issues"), { body: call(1, "read") });
  const first = await openStream(at("web"), { headers: fields });
  streams.push(first);
  await expect.poll(() => first.messages).toEqual([{ jsonrpc: "2.0", method: CHANGED }]);
  const second = await openStream(at("web"), { headers: fields });
  streams.push(second);
  await send(at("web"), { headers: fields, body: LIST });
  expect(second.messages).toEqual([]);
});
