import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../policies/compilation.ts";
import type { Call } from "../../policies/decision.ts";
import {
  digestPolicy,
  type SessionGrant,
  SessionPolicy,
  sessionPolicyOf,
} from "../../policies/session-policy.ts";
import { claimsOf, policiesOf } from "./fixtures.ts";

const policyOf = (grants: Omit<SessionGrant, "rule">[]): SessionPolicy => ({
  v: 1,
  robot: "acme/payments/triager",
  roles: ["role"],
  grants: grants.map((grant, index) => ({ rule: `role#${index + 1}`, ...grant })),
});
const compile = (grants: Omit<SessionGrant, "rule">[]) =>
  compilePolicy(policyOf(grants), { claims: claimsOf() });
const call = (tool: string, args: Call["args"] = {}): Call => ({
  server: "github",
  tool,
  args,
  agent: "agent",
});

describe("a compiled policy", async () => {
  const policy = await compilePolicy(
    sessionPolicyOf(policiesOf(), "acme/payments/triager", ["commenter", "reader"]),
    {
      claims: claimsOf(),
    },
  );

  it("allows what a grant names and says by which rule", () => {
    expect(policy.decide(call("get_issue"))).toEqual({
      effect: "allow",
      reason: "granted",
      rule: "reader#1",
    });
  });

  it("denies what no grant names", () => {
    expect(policy.decide(call("delete_repository"))).toEqual({ effect: "deny", reason: "no_grant" });
  });

  it("decides a condition on the arguments and the run", () => {
    const comment = (repo: unknown) => policy.decide(call("add_comment", { owner: "acme", repo }));
    const condition = "args.owner == run.repository_owner && args.repo == run.repository_name";
    expect(comment("payments")).toEqual({ effect: "allow", reason: "granted", rule: "commenter#1" });
    expect(comment("ledger")).toEqual({
      effect: "deny",
      reason: "condition_false",
      rule: "commenter#1",
      condition,
    });
    expect(policy.decide(call("add_comment", { owner: "acme" }))).toEqual({
      effect: "deny",
      reason: "condition_error",
      rule: "commenter#1",
      condition,
    });
  });

  it("names a tool by its first rule, whatever the condition", () => {
    expect(policy.ruleNaming("github", "add_comment")).toBe("commenter#1");
    expect(policy.ruleNaming("github", "delete_repository")).toBeUndefined();
    expect(policy.ruleNaming("gitlab", "add_comment")).toBeUndefined();
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
    expect(either.decide(call("get_issue", { n: 2 }))).toMatchObject({ effect: "allow", rule: "role#2" });
    expect(either.decide(call("get_other", { n: 2 }))).toMatchObject({ effect: "allow", rule: "role#3" });
    expect(either.decide(call("get_issue", { n: 3 }))).toMatchObject({
      reason: "condition_false",
      rule: "role#1",
    });
  });

  it("does not let one condition's error hide another's permission", async () => {
    const either = await compile([
      { server: "github", tools: ["get_issue"], when: "args.missing == 1" },
      { server: "github", tools: ["get_issue"] },
    ]);
    expect(either.decide(call("get_issue"))).toMatchObject({ effect: "allow", rule: "role#2" });
  });

  it("throws for a condition that no broker would have loaded", async () => {
    await expect(compile([{ server: "github", tools: ["a"], when: "args.matches(" }])).rejects.toThrow(
      "role#1",
    );
  });
});

describe("attacks with names", async () => {
  const policy = await compile([
    { server: "github", tools: ["get_issue", "list_*"] },
    { server: "memory", tools: ["*"] },
  ]);
  it.each([
    ["another case", "Get_issue"],
    ["a space", "get_issue "],
    ["a NUL", "get_issue\u0000"],
    ["a zero-width space", "get_\u200bissue"],
    ["a Cyrillic letter", "get_іssue"],
    ["a full-width letter", "ｇet_issue"],
    ["the pattern itself in another place", "*"],
    ["the beginning of an exact name", "get_"],
    ["an exact name and more", "get_issues"],
    ["nothing", ""],
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
    ["toString", "toString"],
    ["a pattern's prefix in another case", "List_issues"],
  ])("%s in a tool's name is no grant", (_, tool) => {
    expect(policy.decide(call(tool))).toEqual({ effect: "deny", reason: "no_grant" });
    expect(policy.ruleNaming("github", tool)).toBeUndefined();
  });

  it.each(["__proto__", "constructor", "github ", "GitHub", ""])(
    "%j in a server's name is no grant",
    (server) => {
      expect(policy.reaches(server)).toBe(false);
      expect(policy.decide({ ...call("get_issue"), server })).toEqual({ effect: "deny", reason: "no_grant" });
    },
  );

  it("a name in another normal form is another name", async () => {
    const composed = await compile([{ server: "github", tools: ["caf\u00e9"] }]);
    expect(composed.decide(call("caf\u00e9"))).toMatchObject({ effect: "allow" });
    expect(composed.decide(call("cafe\u0301"))).toMatchObject({ reason: "no_grant" });
  });

  it("a prefix ends where it says", () => {
    expect(policy.decide(call("list_"))).toMatchObject({ effect: "allow" });
    expect(policy.decide(call("list"))).toMatchObject({ reason: "no_grant" });
  });
});

describe("a decision", () => {
  const servers = fc.constantFrom("a", "b");
  const tools = fc.constantFrom("get", "get_x", "get_xy", "put", "p", "");
  const patterns = fc.constantFrom("get", "get_*", "get_x", "g*", "*", "put", "p*", "get_xy*");
  /** Conditions, each with the same thing said in plain code; undefined: it cannot be evaluated. */
  const conditions: [string, (args: Record<string, unknown>) => boolean | undefined][] = [
    ["true", () => true],
    ["false", () => false],
    ["args.n == 1", ({ n }) => (n === undefined ? undefined : n === 1)],
    ["args.n < 2", ({ n }) => (typeof n === "number" ? n < 2 : undefined)],
    ['has(args.s) && args.s == "x"', ({ s }) => s === "x"],
  ];
  const grants = fc.array(
    fc.record({
      server: servers,
      tools: fc.uniqueArray(patterns, { minLength: 1, maxLength: 3 }),
      condition: fc.option(fc.constantFrom(...conditions), { nil: undefined }),
    }),
    { maxLength: 8 },
  );
  const calls = fc.record({
    server: fc.constantFrom("a", "b", "c"),
    tool: tools,
    args: fc.record(
      { n: fc.constantFrom<unknown>(1, 1.5, 2, "1", null), s: fc.constantFrom("x", "y") },
      { requiredKeys: [] },
    ),
  });

  it("is what reading the grants one by one gives", async () => {
    await fc.assert(
      fc.asyncProperty(grants, calls, async (given, { server, tool, args }) => {
        const compiled = await compile(
          given.map(({ condition, ...grant }) => ({ ...grant, ...(condition && { when: condition[0] }) })),
        );
        const naming = given
          .map((grant, index) => ({ ...grant, rule: `role#${index + 1}` }))
          .filter(
            (grant) =>
              grant.server === server &&
              grant.tools.some((pattern) =>
                pattern.endsWith("*") ? tool.indexOf(pattern.replace("*", "")) === 0 : tool === pattern,
              ),
          );
        const outcome = (grant: (typeof naming)[number]) =>
          grant.condition ? grant.condition[1](args) : true;
        const allowing = naming.find((grant) => outcome(grant) === true);
        const decision = compiled.decide({ server, tool, args, agent: "agent" });
        const [first] = naming;
        expect(compiled.ruleNaming(server, tool)).toBe(first?.rule);
        if (allowing !== undefined) {
          expect(decision).toEqual({ effect: "allow", reason: "granted", rule: allowing.rule });
        } else if (first?.condition === undefined) {
          expect(decision).toEqual({ effect: "deny", reason: "no_grant" });
        } else {
          const reason = outcome(first) === false ? "condition_false" : "condition_error";
          expect(decision).toEqual({
            effect: "deny",
            reason,
            rule: first.rule,
            condition: first.condition[0],
          });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a session's policy", () => {
  it("names each rule by role and number, in the order of the roles", () => {
    const source = sessionPolicyOf(policiesOf(), "acme/payments/triager", ["reader", "commenter"]);
    expect(source.grants.map(({ rule, when }) => [rule, when === undefined])).toEqual([
      ["reader#1", true],
      ["commenter#1", false],
    ]);
    expect(SessionPolicy.parse(JSON.parse(JSON.stringify(source)))).toEqual(source);
  });

  it("has one digest for one content, whatever the order of its keys", async () => {
    const source = sessionPolicyOf(policiesOf(), "acme/payments/triager", ["reader"]);
    const { grants, ...rest } = source;
    const turned = { grants: grants.map(({ server, ...grant }) => ({ ...grant, server })), ...rest };
    expect(digestPolicy(turned)).toBe(digestPolicy(source));
    expect((await compilePolicy(source, { claims: {} })).digest).toBe(digestPolicy(source));
    const canonical =
      '{"grants":[{"rule":"reader#1","server":"github","tools":["get_issue","list_issues"]}],' +
      '"robot":"acme/payments/triager","roles":["reader"],"v":1}';
    expect(digestPolicy(source)).toBe(createHash("sha256").update(canonical).digest("hex"));
  });

  it("has another digest for any other content", () => {
    const source = sessionPolicyOf(policiesOf(), "acme/payments/triager", ["reader"]);
    const others = [
      { ...source, robot: "acme/payments/other" },
      { ...source, roles: [] },
      { ...source, grants: [] },
      { ...source, grants: source.grants.map((grant) => ({ ...grant, when: "true" })) },
      { ...source, grants: source.grants.map((grant) => ({ ...grant, tools: grant.tools.toReversed() })) },
    ];
    const digests = [source, ...others].map(digestPolicy);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("cannot be made of a role that does not exist", () => {
    expect(() => sessionPolicyOf(policiesOf(), "acme/payments/triager", ["constructor"])).toThrow(
      "constructor",
    );
  });
});
