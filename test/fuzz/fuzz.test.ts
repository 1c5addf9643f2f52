/** Half a minute of hostile agents and hostile servers; and the judges of it, on what they must not let pass. */
import { expect, it } from "vitest";
import fc from "../support/properties.ts";
import type { Reaction } from "./agent.ts";
import { runCampaign } from "./campaign.ts";
import { type Arrival, findFaults } from "./oracle.ts";
import type { FuzzedPolicy } from "./policies.ts";
import { findReactionFaults } from "./reactions.ts";
import { WitnessRecorder } from "../support/mcp-witness-recorder.ts";

it("half a minute of fuzzing on both sides finds nothing", { timeout: 240_000 }, async () => {
  const seed = fc.readConfigureGlobal().seed ?? Math.floor(Math.random() * 2 ** 31);
  const { failures, ...tally } = await runCampaign({ seed, durationMs: 30_000 });
  expect(failures).toEqual([]);
  // Silence is no safety: it did reach servers, and it was refused.
  expect(Math.min(tally.arrivals, tally.allowed, tally.denied)).toBeGreaterThan(0);
});

const policy: FuzzedPolicy = {
  mode: "enforce",
  grants: [
    { server: "one", tools: ["echo"], limit: 1 },
    { server: "one", tools: ["pay"], when: "args.amount < 100" },
    { server: "one", resources: ["repo://acme/*"] },
  ],
  flow: [{ rule: "triager~1", after: ["untrusted"], deny: ["public"] }],
  servers: {
    one: { tools: { pay: { writes: ["public"] } }, reads: ["private"] },
    two: { lock: { echo: "drifted" } },
  },
};

function recordCalls(...calls: { named: object; rule: string; args?: object; server?: string }[]) {
  const recorder = new WitnessRecorder();
  calls.forEach(({ named, rule, args, server = "one" }, index) =>
    recorder.record({
      ...{ kind: "call", id: `c${index}`, agent: "agent", client: null, server, method: "tools/call" },
      ...{ decision: "allow", reason: "granted", rule, ...named },
      ...(args !== undefined && { arguments: { ...args } }),
    }),
  );
  return recorder.records;
}

it.each([
  ["a name that the rule does not have", recordCalls({ named: { tool: "drop_table" }, rule: "triager#1" })],
  ["a rule that there is not", recordCalls({ named: { tool: "echo" }, rule: "triager#9" })],
  ["a condition", recordCalls({ named: { tool: "pay" }, rule: "triager#2", args: { amount: 100 } })],
  [
    "a limit",
    recordCalls(
      { named: { tool: "echo" }, rule: "triager#1" },
      { named: { tool: "echo" }, rule: "triager#1" },
    ),
  ],
  ["a path that leads out", recordCalls({ named: { resource: "repo://acme/%2e./x" }, rule: "triager#3" })],
  ["a lock", recordCalls({ named: { tool: "echo" }, rule: "triager#1", server: "two" })],
])("the oracle objects to a log that lets through what is against %s", (_, records) => {
  expect(findFaults(policy, records, [])).toHaveLength(1);
});

const arrive = (message: object, records: number): Arrival => ({
  ...{ server: "one", text: JSON.stringify({ jsonrpc: "2.0", ...message }), seen: { records } },
});
const pay = { id: 1, method: "tools/call", params: { name: "pay", arguments: { amount: 5 } } };
const paid = recordCalls({ named: { tool: "pay" }, rule: "triager#2", args: { amount: 5 } });

it("the oracle takes what was recorded before it arrived, once", () => {
  expect(findFaults(policy, paid, [arrive(pay, 1)])).toEqual([]);
  expect(findFaults(policy, paid, [arrive(pay, 0)])).toHaveLength(1);
  expect(findFaults(policy, paid, [arrive(pay, 1), arrive(pay, 1)])).toHaveLength(1);
});

it.each([
  ["other arguments", { ...pay, params: { name: "pay", arguments: { amount: 6 } } }],
  ["a task", { ...pay, params: { ...pay.params, task: {} } }],
  ["a method that no grant has", { id: 1, method: "tasks/list" }],
  ["a list of a kind that no grant has", { id: 1, method: "prompts/list" }],
  ["an unknown notification", { method: "notifications/made_up" }],
  ["an agent's answer", { id: 1, result: { roots: [] } }],
  ["a capability", { id: 1, method: "initialize", params: { capabilities: { sampling: {} } } }],
])("the oracle objects to a server that got %s", (_, message) => {
  expect(findFaults(policy, paid, [arrive(message, 1)])).toHaveLength(1);
});

const answered = (sent: object, answer: object, given: Partial<Reaction> = {}): Reaction => ({
  move: {
    ...({ server: "one", agent: "agent", how: "POST" } as const),
    ...{ texts: [], isBatch: false, session: undefined, fields: {}, leavesAfterMs: undefined },
  },
  ...{ sent: JSON.stringify(sent), text: JSON.stringify({ jsonrpc: "2.0", ...answer }) },
  ...{ status: 200, contentType: "application/json", ended: "answered", ...given },
});
const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };

it.each([
  ["an answer to another request", answered(list, { id: 2, result: {} })],
  ["a request of the server", answered(list, { id: 1, method: "sampling/createMessage" })],
  ["a name that no grant has", answered(list, { id: 1, result: { tools: [{ name: "drop_table" }] } })],
  ["no message", answered(list, {}, { text: "<html>" })],
  ["no answer", answered(list, {}, { status: undefined, ended: "closed" })],
])("the judge of answers objects to %s", (_, reaction) => {
  expect(findReactionFaults(policy, reaction)).toHaveLength(1);
});

it("the judge of answers takes the answer to what was asked", () => {
  const shown = answered(list, { id: 1, result: { tools: [{ name: "pay" }] } });
  expect(findReactionFaults(policy, shown)).toEqual([]);
});
