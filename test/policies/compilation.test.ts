import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../policies/compilation.ts";
import type { Call } from "../../policies/decision.ts";
import { sessionPolicyOf } from "../../policies/issuing.ts";
import { digestPolicy, SessionPolicy } from "../../policies/session-policy.ts";
import { claimsOf, policiesOf } from "./fixtures.ts";
import { call, compile, decide, policyOf, unused } from "./session-policies.ts";

const issue = (...roles: string[]): SessionPolicy =>
  sessionPolicyOf(policiesOf(), { robot: "acme/payments/triager", roles, mode: "enforce" });

describe("a compiled policy", async () => {
  const policy = await compilePolicy(issue("commenter", "reader"), { claims: claimsOf() });

  it("allows what a grant names and says by which rule", () => {
    expect(decide(policy, call("get_issue"))).toEqual({
      effect: "allow",
      reason: "granted",
      rule: "reader#1",
    });
  });

  it("denies what no grant names", () => {
    expect(decide(policy, call("delete_repository"))).toEqual({ effect: "deny", reason: "no_grant" });
  });

  it("decides a condition on the arguments and the run", () => {
    const comment = (repo: unknown) => decide(policy, call("add_comment", { owner: "acme", repo }));
    const condition = "args.owner == run.repository_owner && args.repo == run.repository_name";
    expect(comment("payments")).toEqual({ effect: "allow", reason: "granted", rule: "commenter#1" });
    expect(comment("ledger")).toEqual({
      effect: "deny",
      reason: "condition_false",
      rule: "commenter#1",
      condition,
    });
    expect(decide(policy, call("add_comment", { owner: "acme" }))).toEqual({
      effect: "deny",
      reason: "condition_error",
      rule: "commenter#1",
      condition,
    });
  });

  it("names a tool by its first rule, whatever the condition", () => {
    const show = (server: string, name: string) => policy.show({ server, kind: "tool", name }, unused.labels);
    expect(show("github", "add_comment")).toEqual({ visible: true, why: "commenter#1" });
    expect(show("github", "delete_repository")).toEqual({ visible: false, why: "no_grant" });
    expect(show("gitlab", "add_comment")).toEqual({ visible: false, why: "no_grant" });
  });

  it("reaches the servers of its grants only", () => {
    expect(policy.reaches("github")).toBe(true);
    expect(policy.reaches("memory")).toBe(false);
  });

  it("allows by any grant whose condition holds, and names the first of them", async () => {
    const either = await compile([
      { server: "github", tools: ["get_*"], when: "args.n == 1" },
      { server: "github", tools: ["get_issue"], when: "args.n == 2" },
      { server: "github", tools: ["*"], when: "args.n == 2" },
    ]);
    expect(decide(either, call("get_issue", { n: 2 }))).toMatchObject({ effect: "allow", rule: "role#2" });
    expect(decide(either, call("get_other", { n: 2 }))).toMatchObject({ effect: "allow", rule: "role#3" });
    expect(decide(either, call("get_issue", { n: 3 }))).toMatchObject({
      reason: "condition_false",
      rule: "role#1",
    });
  });

  it("does not let one condition's error hide another's permission", async () => {
    const either = await compile([
      { server: "github", tools: ["get_issue"], when: "args.missing == 1" },
      { server: "github", tools: ["get_issue"] },
    ]);
    expect(decide(either, call("get_issue"))).toMatchObject({ effect: "allow", rule: "role#2" });
  });

  it("decides on a prompt by its name, and on nothing of another kind", async () => {
    const review = await compile([{ server: "github", prompts: ["review", "plan_*"] }]);
    const ask = (kind: Call["kind"], name: string) => decide(review, { ...call(name), kind });
    expect(ask("prompt", "review")).toMatchObject({ effect: "allow", rule: "role#1" });
    expect(ask("prompt", "plan_week")).toMatchObject({ effect: "allow" });
    expect(ask("tool", "review")).toMatchObject({ reason: "no_grant" });
    expect(ask("resource", "review")).toMatchObject({ reason: "no_grant" });
  });

  it("counts session.calls in a condition, and tells `tool` for all kinds of names", async () => {
    const few = await compile([
      { server: "github", tools: ["a"], when: "session.calls < 2" },
      { server: "github", resources: ["note:*"], when: 'tool == "note:x"' },
    ]);
    const after = (calls: number) => few.decide(call("a"), { ...unused, calls });
    expect([after(0), after(1), after(2)].map(({ effect }) => effect)).toEqual(["allow", "allow", "deny"]);
    const note = (name: string) => decide(few, { ...call(name), kind: "resource" });
    expect(note("note:x")).toMatchObject({ effect: "allow" });
    expect(note("note:y")).toMatchObject({ reason: "condition_false" });
  });

  it("keeps a limit for its rule, and lets another rule allow what the first has used up", async () => {
    const limited = await compile([
      { server: "github", tools: ["a", "b"], limit: 2 },
      { server: "github", tools: ["b"] },
    ]);
    const usage = { ...unused, callsOf: (rule: string) => (rule === "role#1" ? 2 : 0) };
    expect(limited.decide(call("a"), usage)).toEqual({
      effect: "deny",
      reason: "limit_reached",
      rule: "role#1",
      limit: 2,
    });
    expect(limited.decide(call("b"), usage)).toMatchObject({ effect: "allow", rule: "role#2" });
    expect(limited.show(call("a"), usage.labels)).toEqual({ visible: true, why: "role#1" });
  });

  it("says how much of the arguments the log holds: everything, where nobody says less", async () => {
    const quiet = await compile([
      { server: "github", tools: ["a"], arguments: "digest" },
      { server: "github", tools: ["b"] },
    ]);
    expect(["role#1", "role#2", "role#3"].map((rule) => quiet.argumentsInLog(rule))).toEqual([
      "digest",
      "full",
      "full",
    ]);
  });

  it("says what of results is inspected: everything, where nobody says less", async () => {
    const open = await compile([
      { server: "github", tools: ["a"], inspect: { secrets: "pass" } },
      { server: "github", tools: ["b"] },
    ]);
    expect(["role#1", "role#2", "role#3"].map((rule) => open.inspectionOf(rule))).toEqual([
      { secrets: "pass", text: "clean" },
      { secrets: "redact", text: "clean" },
      { secrets: "redact", text: "clean" },
    ]);
  });

  it("does not change with its source, and gives out nothing that could change it", async () => {
    const source = policyOf([{ server: "github", tools: ["a"] }], {
      servers: { github: { reads: ["private"], lock: { tools: { a: "a".repeat(64) } } } },
    });
    const fixed = await compilePolicy(source, { claims: {} });
    const { digest } = fixed;
    source.mode = "observe";
    source.grants[0]?.tools?.push("b");
    source.grants.push({ rule: "role#2", server: "github", tools: ["*"] });
    source.servers["github"] = { tools: { c: { read_only: true } } };
    expect(decide(fixed, call("a"))).toMatchObject({ effect: "allow" });
    expect(decide(fixed, call("b"))).toMatchObject({ reason: "no_grant" });
    expect(decide(fixed, call("c"))).toMatchObject({ reason: "no_grant" });
    expect(fixed.labelsOf(call("a"))).toEqual(["private"]);
    expect(fixed).toMatchObject({ mode: "enforce", digest });
    for (const given of [
      fixed,
      fixed.labelsOf(call("a")),
      fixed.lockOf("github")?.tools,
      decide(fixed, call("a")),
    ]) {
      expect(Object.isFrozen(given)).toBe(true);
    }
  });

  it("tells of which kinds something can be reached", async () => {
    const grants = [
      { server: "github", prompts: ["a"] },
      { server: "wiki", resources: ["wiki://{run.no_such_fact}/*"] },
    ];
    const looked = await compile(grants, {
      mode: "observe",
      servers: { github: { tools: { a: { read_only: true } } }, wiki: {} },
    });
    const reached = (server: string): boolean[] =>
      (["tool", "resource", "prompt"] as const).map((kind) => looked.reaches(server, kind));
    expect(reached("github")).toEqual([true, false, true]);
    // A pattern that lacks its fact names nothing.
    expect(reached("wiki")).toEqual([false, false, false]);
    expect(reached("none")).toEqual([false, false, false]);
    expect([looked.reaches("wiki"), looked.reaches("none")]).toEqual([true, false]);
  });

  it("tells whether a flow rule can take tools away", async () => {
    const losing = await compile([{ server: "github", tools: ["*"] }], {
      flow: [{ rule: "role~1", after: ["untrusted"], deny: ["public"] }],
      servers: {
        github: { tools: { post: { writes: ["public"] } } },
        wiki: {},
        gist: { writes: ["public"] },
      },
    });
    expect(["github", "wiki", "gist", "none"].map((server) => losing.canLoseTools(server))).toEqual([
      ...[true, false, true, false],
    ]);
  });

  it("throws for a condition that no broker would have loaded", async () => {
    await expect(compile([{ server: "github", tools: ["a"], when: "args.matches(" }])).rejects.toThrow(
      "role#1",
    );
  });
});

describe("a flow rule", async () => {
  const policy = await compile(
    [
      { server: "github", tools: ["*"], prompts: ["*"], resources: ["repo://*"] },
      { server: "wiki", tools: ["*"] },
    ],
    {
      flow: [
        { rule: "role~1", after: ["untrusted"], deny: ["public"] },
        { rule: "role~2", after: ["private", "untrusted"], deny: ["public"] },
      ],
      servers: {
        github: { reads: ["untrusted"], tools: { gist: { writes: ["public"] }, quiet: { reads: [] } } },
        wiki: { writes: ["public"], tools: { note: { writes: [] } } },
      },
    },
  );
  const after = (labels: readonly ("untrusted" | "private")[], asked: Call) =>
    policy.decide(asked, { ...unused, labels: new Set(labels) });

  it("takes a target away once one of its labels was read, and names itself", () => {
    expect(after([], call("gist"))).toMatchObject({ effect: "allow" });
    expect(after(["untrusted"], call("gist"))).toEqual({ effect: "deny", reason: "flow", rule: "role~1" });
    expect(after(["private"], call("gist"))).toEqual({ effect: "deny", reason: "flow", rule: "role~2" });
    expect(policy.show(call("gist"), new Set(["private"]))).toEqual({ visible: false, why: "flow" });
  });

  it("goes by a tool's own word before its server's, for what it writes and what it reads", () => {
    expect(after(["untrusted"], { ...call("page"), server: "wiki" })).toMatchObject({ reason: "flow" });
    expect(after(["untrusted"], { ...call("note"), server: "wiki" })).toMatchObject({ effect: "allow" });
    expect(policy.labelsOf(call("quiet"))).toEqual([]);
    expect(policy.labelsOf(call("other"))).toEqual(["untrusted"]);
    expect(policy.labelsOf({ server: "github", kind: "resource", name: "repo://x" })).toEqual(["untrusted"]);
    expect(policy.labelsOf({ server: "nowhere", kind: "tool", name: "x" })).toEqual([]);
  });

  it("takes no prompt that has the name of a public tool", () => {
    expect(after(["untrusted"], { ...call("gist"), kind: "prompt" })).toMatchObject({ effect: "allow" });
  });

  it("says nothing about what no grant names: it does not exist in the first place", () => {
    expect(after(["untrusted"], { ...call("gist"), server: "gitlab" })).toMatchObject({ reason: "no_grant" });
  });
});

describe("an observed session", async () => {
  const policy = await compile([{ server: "github", tools: ["push"], when: "false" }], {
    mode: "observe",
    servers: {
      github: {
        tools: { get: { read_only: true }, push: { read_only: false }, get_prompt: { read_only: true } },
      },
      wiki: { tools: { constructor: { read_only: true } } },
    },
  });

  it("lets through what is marked read_only, with what the roles say", () => {
    expect(decide(policy, call("get"))).toEqual({
      effect: "allow",
      reason: "observed",
      instead: { effect: "deny", reason: "no_grant" },
    });
    expect(policy.show(call("get"), unused.labels)).toEqual({ visible: true, why: "observed" });
  });

  it.each(["push", "delete", "__proto__", "toString", "get*", ""])("still denies %j", (name) => {
    expect(decide(policy, call(name)).effect).toBe("deny");
  });

  it("looks at tools only, and of the server that marks them", () => {
    expect(decide(policy, { ...call("get"), kind: "resource" }).effect).toBe("deny");
    expect(decide(policy, { ...call("get"), kind: "prompt" }).effect).toBe("deny");
    expect(decide(policy, { ...call("get"), server: "wiki" }).effect).toBe("deny");
    expect(decide(policy, { ...call("constructor"), server: "wiki" }).effect).toBe("allow");
    expect(decide(policy, { ...call("constructor"), server: "constructor" }).effect).toBe("deny");
  });
});

describe("a session's policy", () => {
  it("names each rule by role and number, in the order of the roles", () => {
    const source = issue("reader", "commenter");
    expect(source.grants.map(({ rule, when }) => [rule, when === undefined])).toEqual([
      ["reader#1", true],
      ["commenter#1", false],
    ]);
    expect(SessionPolicy.parse(JSON.parse(JSON.stringify(source)))).toEqual(source);
  });

  it("has one digest for one content, whatever the order of its keys", async () => {
    const source = issue("reader");
    const { grants, ...rest } = source;
    const turned = { grants: grants.map(({ server, ...grant }) => ({ ...grant, server })), ...rest };
    expect(digestPolicy(turned)).toBe(digestPolicy(source));
    expect((await compilePolicy(source, { claims: {} })).digest).toBe(digestPolicy(source));
    const canonical =
      '{"flow":[],"grants":[{"rule":"reader#1","server":"github","tools":["get_issue","list_issues"]}],' +
      '"mode":"enforce","robot":"acme/payments/triager","roles":["reader"],"servers":{"github":{"tools":' +
      '{"add_comment":{"read_only":false},"get_issue":{"read_only":true},"list_issues":{"read_only":true}}}},"v":1}';
    expect(digestPolicy(source)).toBe(createHash("sha256").update(canonical).digest("hex"));
  });

  it("has another digest for any other content", () => {
    const source = issue("reader");
    const others = [
      { ...source, robot: "acme/payments/other" },
      { ...source, roles: [] },
      { ...source, grants: [] },
      { ...source, grants: source.grants.map((grant) => ({ ...grant, when: "true" })) },
      {
        ...source,
        grants: source.grants.map((grant) => ({ ...grant, tools: grant.tools?.toReversed() ?? [] })),
      },
      { ...source, mode: "observe" as const },
      { ...source, flow: [{ rule: "reader~1", after: ["untrusted" as const], deny: ["public" as const] }] },
      { ...source, servers: {} },
    ];
    const digests = [source, ...others].map(digestPolicy);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("cannot be made of a role that does not exist", () => {
    expect(() => issue("constructor")).toThrow("constructor");
  });
});
