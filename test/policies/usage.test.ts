import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../policies/compilation.ts";
import type { Call, CompiledPolicy, Decision } from "../../policies/decision.ts";
import type { SessionPolicy } from "../../policies/session-policy.ts";
import { SessionUsage } from "../../policies/usage.ts";

const source: SessionPolicy = {
  v: 1,
  robot: "acme/payments/triager",
  roles: ["role"],
  mode: "observe",
  grants: [
    { rule: "role#1", server: "github", tools: ["comment"], limit: 2 },
    { rule: "role#2", server: "github", tools: ["get", "comment"], when: "session.calls < 4" },
    {
      rule: "role#3",
      server: "wiki",
      tools: ["publish"],
      resources: ["wiki://*"],
      prompts: ["review"],
      limit: 1,
    },
  ],
  flow: [{ rule: "role~1", after: ["untrusted"], deny: ["public"] }],
  servers: {
    github: { tools: { get: { reads: ["untrusted"] }, list: { read_only: true, reads: ["private"] } } },
    wiki: { reads: ["private"], writes: ["public"] },
  },
};

interface Session {
  readonly policy: CompiledPolicy;
  readonly usage: SessionUsage;
}

async function startSession(): Promise<Session> {
  const policy = await compilePolicy(source, { claims: {} });
  return { policy, usage: new SessionUsage(policy) };
}

const call = (server: string, name: string, more: Partial<Call> = {}): Call => ({
  server,
  kind: "tool",
  name,
  args: {},
  agent: "one",
  ...more,
});

/** What the gate does in one go: decide, and count what it records. */
function ask({ policy, usage }: Session, asked: Call): Decision {
  const decision = policy.decide(asked, usage);
  usage.count(asked, decision);
  return decision;
}

describe("the usage of a session", () => {
  it("begins with nothing", async () => {
    const { usage } = await startSession();
    expect([usage.calls, usage.callsOf("role#1"), usage.callsOf("constructor"), [...usage.labels]]).toEqual([
      0,
      0,
      0,
      [],
    ]);
  });

  it("counts a call for the rule that allowed it, and for the session", async () => {
    const session = await startSession();
    ask(session, call("github", "comment"));
    expect([session.usage.calls, session.usage.callsOf("role#1"), session.usage.callsOf("role#2")]).toEqual([
      1, 1, 0,
    ]);
  });

  it("moves on to the next rule that allows, and counts that one", async () => {
    const session = await startSession();
    const rules = [1, 2, 3]
      .map(() => ask(session, call("github", "comment")))
      .map((each) => "rule" in each && each.rule);
    expect(rules).toEqual(["role#1", "role#1", "role#2"]);
    expect([session.usage.callsOf("role#1"), session.usage.callsOf("role#2")]).toEqual([2, 1]);
  });

  it("counts nothing for what was denied, and no label of it", async () => {
    const session = await startSession();
    expect(ask(session, call("wiki", "delete"))).toMatchObject({ reason: "no_grant" });
    expect([session.usage.calls, [...session.usage.labels]]).toEqual([0, []]);
  });

  it("counts an observed call and what it reads, for no rule", async () => {
    const session = await startSession();
    expect(ask(session, call("github", "list"))).toMatchObject({ reason: "observed" });
    expect([session.usage.calls, [...session.usage.labels]]).toEqual([1, ["private"]]);
    expect(["role#1", "role#2", "role#3"].map((rule) => session.usage.callsOf(rule))).toEqual([0, 0, 0]);
  });

  it("tells the labels that a call gained, each of them once", async () => {
    const { policy, usage } = await startSession();
    const count = (asked: Call) => usage.count(asked, policy.decide(asked, usage));
    expect(count(call("github", "get"))).toEqual(["untrusted"]);
    expect(count(call("github", "get"))).toEqual([]);
    expect(count(call("wiki", "wiki://page", { kind: "resource" }))).toEqual(["private"]);
    expect(usage.labels).toEqual(new Set(["untrusted", "private"]));
  });

  it("is one for all agents: what one has used up, another does not have", async () => {
    const session = await startSession();
    const publish = (agent: string) => ask(session, call("wiki", "publish", { agent }));
    expect(publish("one")).toMatchObject({ effect: "allow" });
    expect(publish("two")).toEqual({ effect: "deny", reason: "limit_reached", rule: "role#3", limit: 1 });
    expect(publish("one")).toMatchObject({ reason: "limit_reached" });
  });

  it("is one for all kinds of names of a rule", async () => {
    const session = await startSession();
    expect(ask(session, call("wiki", "review", { kind: "prompt" }))).toMatchObject({ effect: "allow" });
    expect(ask(session, call("wiki", "publish"))).toMatchObject({ reason: "limit_reached" });
    expect(ask(session, call("wiki", "wiki://x", { kind: "resource" }))).toMatchObject({
      reason: "limit_reached",
    });
  });

  it("counts session.calls over all servers", async () => {
    const session = await startSession();
    ask(session, call("wiki", "publish"));
    for (let count = 0; count < 3; count += 1) ask(session, call("github", "get"));
    expect(session.usage.calls).toBe(4);
    expect(ask(session, call("github", "get"))).toMatchObject({ reason: "condition_false", rule: "role#2" });
  });
});

describe("calls in parallel", () => {
  it("one agent reads what is untrusted, another publishes: the label counts from the moment the read is recorded", async () => {
    const session = await startSession();
    const publish = call("wiki", "publish", { agent: "two" });
    const answers: string[] = [];
    const read = (async () => {
      ask(session, call("github", "get"));
      // The read is recorded; nothing has been forwarded, and no answer is here.
      await new Promise(setImmediate);
      answers.push("read");
    })();
    expect(ask(session, publish)).toEqual({ effect: "deny", reason: "flow", rule: "role~1" });
    expect(answers).toEqual([]);
    await read;
    expect(ask(session, publish)).toMatchObject({ reason: "flow" });
    expect(session.policy.show(publish, session.usage.labels)).toEqual({ visible: false, why: "flow" });
  });

  it("that come at once cannot slip past a limit: every one is counted before the next is decided", async () => {
    const session = await startSession();
    const decisions = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        await new Promise(setImmediate);
        const decision = ask(session, call("wiki", "publish", { agent: `agent-${index}` }));
        await new Promise(setImmediate);
        return decision.effect;
      }),
    );
    expect(decisions.filter((effect) => effect === "allow")).toHaveLength(1);
    expect(session.usage.callsOf("role#3")).toBe(1);
  });

  it("labels that were asked for earlier follow what is counted", async () => {
    const session = await startSession();
    const { labels } = session.usage;
    ask(session, call("github", "get"));
    expect([...labels]).toEqual(["untrusted"]);
  });
});
