/** A policy that is replaced while agents work: from the next decision on, with everything that was used up. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { compilePolicy } from "../../../policies/compilation.ts";
import type { SessionGrant, ServerFacts } from "../../../policies/session-policy.ts";
import { openStream, type OpenStream } from "../open-stream.ts";
import { call, type Rig, send, shakeHands, startRig } from "../rig.ts";
import { startToolServer, type ToolServer } from "../tool-server.ts";

const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const CHANGED = "notifications/tools/list_changed";
const grants: SessionGrant[] = [
  { rule: "triager#1", server: "issues", tools: ["read", "twice"], limit: 2 },
  { rule: "triager#2", server: "issues", tools: ["post"] },
];

let issues: ToolServer;
let rig: Rig;
let stream: OpenStream | undefined;
const at = (): string => `${rig.url}/mcp/issues`;
const namesOf = (list: { json: { result: { tools: { name: string }[] } } }): string[] =>
  list.json.result.tools.map(({ name }) => name);
const policyOf = (left: readonly SessionGrant[], issuesFacts: ServerFacts = {}) =>
  compilePolicy(
    {
      v: 1,
      robot: "acme/payments/triager",
      roles: ["triager"],
      mode: "enforce",
      flow: [{ rule: "triager~1", after: ["private"], deny: ["public"] }],
      grants: [...left],
      servers: { issues: issuesFacts },
    },
    { claims: {} },
  );

beforeEach(async () => {
  issues = await startToolServer([{ name: "read" }, { name: "twice" }, { name: "post" }]);
  rig = await startRig({
    servers: { issues: { transport: "http", url: issues.url } },
    grants: grants.map(({ rule: _, ...grant }) => grant),
    policy: { servers: { issues: { tools: { read: { reads: ["private"] } } } } },
  });
});
afterEach(async () => {
  stream?.close();
  stream = undefined;
  await rig.close();
  await issues.close();
});

it("what was taken away does not exist from the next call on, and no list shows it", async () => {
  expect(namesOf(await send(at(), { body: LIST }))).toEqual(["read", "twice", "post"]);
  rig.changePolicy(await policyOf(grants.slice(0, 1)));
  const refused = await send(at(), { body: call(2, "post") });
  expect(refused.json.error).toEqual({ code: -32602, message: "Unknown tool: post" });
  expect(issues.sent("tools/call")).toEqual([]);
  expect(namesOf(await send(at(), { body: LIST }))).toEqual(["read", "twice"]);
  expect(rig.recorder.of("call")).toMatchObject([{ decision: "deny", reason: "no_grant" }]);
  expect(rig.recorder.of("catalog").at(-1)?.tools).toContainEqual(
    expect.objectContaining({ name: "post", visible: false, why: "no_grant" }),
  );
});

it("agents are told that their tools changed, and only when they did", async () => {
  const session = await shakeHands(at());
  await send(at(), { body: LIST, headers: session });
  stream = await openStream(at(), { headers: session });
  rig.changePolicy(await policyOf(grants));
  rig.changePolicy(await policyOf(grants.slice(0, 1)));
  await expect.poll(() => stream?.messages.map(({ method }) => method)).toContain(CHANGED);
  expect(stream.messages).toHaveLength(1);
});

it("calls and labels that were counted before stay counted", async () => {
  await send(at(), { body: call(1, "read") });
  await send(at(), { body: call(2, "twice") });
  rig.changePolicy(await policyOf(grants, { tools: { post: { writes: ["public"] } } }));
  expect((await send(at(), { body: call(3, "twice") })).json.result.isError).toBe(true);
  expect((await send(at(), { body: call(4, "post") })).json.error.message).toBe("Unknown tool: post");
  expect(rig.recorder.of("call").map(({ reason }) => reason)).toEqual([
    "granted",
    "granted",
    "limit_reached",
    "flow",
  ]);
});

it("a lock that comes with it holds for definitions that were seen before", async () => {
  await send(at(), { body: LIST });
  rig.changePolicy(await policyOf(grants, { lock: { tools: { post: "1".repeat(64) } } }));
  expect(namesOf(await send(at(), { body: LIST }))).toEqual([]);
  await send(at(), { body: call(2, "post") });
  expect(issues.sent("tools/call")).toEqual([]);
  expect(rig.recorder.of("call").at(-1)).toMatchObject({ decision: "deny", reason: "drifted" });
});
