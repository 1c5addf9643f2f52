/** Observing: what is marked read-only passes without a grant, and the log says what the roles would have said. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { call, type Rig, send, startRig } from "../rig.ts";
import { startToolServer, type ToolServer } from "../tool-server.ts";

let server: ToolServer;
let rig: Rig;
let url: string;

beforeEach(async () => {
  server = await startToolServer(["get", "get_own", "pay", "hidden"].map((name) => ({ name })));
  rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [
      { server: "one", tools: ["get_own"], when: "args.id == 1", arguments: "redacted" },
      { server: "one", tools: ["pay"], when: "args.amount < 100" },
    ],
    policy: {
      mode: "observe",
      servers: { one: { tools: { get: { read_only: true }, get_own: { read_only: true } } } },
    },
  });
  url = `${rig.url}/mcp/one`;
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

it("a tool that no role grants and the registry marks read-only is let through, and judged on the log", async () => {
  expect((await send(url, { body: call(1, "get", { a: 1 }) })).json.result.content[0].text).toBe("did get");
  const [recorded] = rig.recorder.of("call");
  expect(recorded).toMatchObject({
    ...{ decision: "allow", reason: "observed", observed: { reason: "no_grant" }, arguments: { a: 1 } },
  });
  expect(recorded).not.toHaveProperty("rule");
});

it("what a condition would refuse names its rule; how much of the arguments is kept is its grant's word", async () => {
  await send(url, { body: call(1, "get_own", { id: 2, deep: { secret: 1 } }) });
  expect(rig.recorder.of("call")[0]).toMatchObject({
    ...{ decision: "allow", reason: "observed" },
    observed: { reason: "condition_false", rule: "triager#1" },
    arguments: { id: "[withheld]", deep: "[withheld]" },
  });
});

it("anything else that is denied stays denied", async () => {
  expect((await send(url, { body: call(1, "pay", { amount: 500 }) })).json.result.isError).toBe(true);
  expect((await send(url, { body: call(2, "hidden") })).json.error.message).toBe("Unknown tool: hidden");
  expect(server.received).toEqual([]);
});

it("lists show what is granted and what is marked read-only", async () => {
  const got = await send(url, { body: { jsonrpc: "2.0", id: 1, method: "tools/list" } });
  expect(got.json.result.tools.map(({ name }: { name: string }) => name)).toEqual(["get", "get_own", "pay"]);
  expect(rig.recorder.of("catalog")[0]?.tools?.map(({ why }) => why)).toEqual([
    "observed",
    "triager#1",
    "triager#2",
    "no_grant",
  ]);
});
