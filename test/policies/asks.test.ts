/** What servers may ask of agents, from the document to the decision, and to the reviewer who sees that it is a gain. */
import { describe, expect, it } from "vitest";
import { listAccess } from "../../policies/authoring/access-list.ts";
import { comparePolicies } from "../../policies/authoring/difference.ts";
import { suggestGrants } from "../../policies/authoring/suggestion.ts";
import { assembleTestSuite } from "../../policies/authoring/test-suite.ts";
import { listUntestedRules, runTests } from "../../policies/authoring/unit-tests.ts";
import { compilePolicy } from "../../policies/compilation.ts";
import type { Call } from "../../policies/decision.ts";
import { sessionPolicyOf } from "../../policies/issuing.ts";
import type { SessionGrant, SessionPolicy } from "../../policies/session-policy.ts";
import { claimsOf, policiesOf, problemsOf, roles, servers } from "./fixtures.ts";

const asking = (asks: string): string =>
  roles.replace("tools: [add_comment]", `tools: [add_comment]\n        asks: [${asks}]`);
const ask = (name: string, args: Call["args"] = {}): Call => ({
  ...{ server: "one", kind: "ask", name, args, agent: "agent" },
});
const unused = { calls: 0, callsOf: () => 0, labels: new Set<never>() };

const compile = (grant: Partial<SessionGrant>, more: Partial<SessionPolicy> = {}) =>
  compilePolicy(
    {
      ...{ v: 1, robot: "a/b/c", roles: ["role"], mode: "enforce", flow: [], servers: { one: {} }, ...more },
      grants: [{ rule: "role#1", server: "one", ...grant }],
    },
    { claims: claimsOf() },
  );

describe("what a server may ask for", () => {
  it("is nothing unless a grant names it, and no tool of that name", async () => {
    const policy = await compile({ tools: ["*"], prompts: ["*"], resources: ["repo://*"], asks: ["roots"] });
    expect(policy.decide(ask("roots"), unused)).toMatchObject({ effect: "allow", rule: "role#1" });
    for (const name of ["sampling", "elicitation", "logging", "", "*", "__proto__"]) {
      expect(policy.decide(ask(name), unused)).toEqual({ effect: "deny", reason: "no_grant" });
    }
    const only = await compile({ asks: ["roots"] });
    expect(only.decide({ ...ask("roots"), kind: "tool" }, unused).effect).toBe("deny");
    expect(only.reaches("one")).toBe(true);
    expect(only.reaches("one", "tool")).toBe(false);
  });

  it("is decided on what it asks, and counted", async () => {
    const policy = await compile({
      asks: ["elicitation"],
      when: 'tool == "elicitation" && args.mode == "form"',
      limit: 2,
    });
    expect(policy.decide(ask("elicitation", { mode: "form" }), unused).effect).toBe("allow");
    expect(policy.decide(ask("elicitation", { mode: "url" }), unused).reason).toBe("condition_false");
    expect(policy.decide(ask("elicitation"), unused).reason).toBe("condition_error");
    const used = { ...unused, callsOf: () => 2 };
    expect(policy.decide(ask("elicitation", { mode: "form" }), used).reason).toBe("limit_reached");
  });

  it("is not observed: what is only looked at hands nothing out", async () => {
    const policy = await compile(
      { tools: ["x"] },
      { mode: "observe", servers: { one: { tools: { sampling: { read_only: true } } } } },
    );
    expect(policy.decide(ask("sampling"), unused).effect).toBe("deny");
  });

  it("reads what its answers contain, and gets what it is answered where it writes; by its log it gets nothing", async () => {
    const policy = await compile(
      { asks: ["sampling", "logging"] },
      {
        servers: { one: { reads: ["untrusted"], writes: ["public"] } },
        flow: [{ rule: "role~1", after: ["private"], deny: ["public"] }],
      },
    );
    expect(policy.labelsOf(ask("sampling"))).toEqual(["untrusted"]);
    const usage = { ...unused, labels: new Set(["private"] as const) };
    expect(policy.decide(ask("sampling"), usage)).toEqual({ effect: "deny", reason: "flow", rule: "role~1" });
    expect(policy.decide(ask("logging"), usage).effect).toBe("allow");
  });
});

describe("a role's document", () => {
  it("says it in a grant, by itself or beside tools, and the session's policy has it", () => {
    const policies = policiesOf({ roles: asking("sampling, logging") });
    const issued = { robot: "a/b/c", roles: ["commenter"], mode: "enforce" as const };
    expect(sessionPolicyOf(policies, issued).grants).toMatchObject([{ asks: ["sampling", "logging"] }]);
    expect(problemsOf({ roles: roles.replace("tools: [add_comment]", "asks: [roots]") })).toEqual([]);
    expect(problemsOf({ roles: asking("roots, roots") })).toEqual([
      'roles.yaml:10:23 roles.commenter.grants[0].asks[1]: "roots" is in the list twice: remove one of them',
    ]);
  });

  it("gives outsiders no role whose server may ask for anything, its log aside", () => {
    const open = (asks: string) =>
      problemsOf({
        roles: roles.replace("[get_issue, list_issues]", `[get_issue]\n        asks: [${asks}]`),
      });
    expect(open("logging")).toEqual([]);
    expect(open("logging, elicitation").join()).toContain("but reader reaches elicitation of github");
  });
});

describe("a reviewer", () => {
  const changesOf = (before: string, after: string) =>
    comparePolicies(policiesOf({ roles: before }), policiesOf({ roles: after })).changes.map(
      ({ effect, subject, server, what }) => `${effect} ${subject} ${server} ${what}`,
    );

  it("sees that a server may elicit as a gain, and that it may not any more as a loss", () => {
    expect(changesOf(roles, asking("elicitation"))).toEqual(["gained ask github elicitation"]);
    expect(changesOf(asking("elicitation"), roles)).toEqual(["lost ask github elicitation"]);
    expect(changesOf(asking("elicitation"), asking("elicitation"))).toEqual([]);
  });

  it("finds who may be asked", () => {
    const policies = policiesOf({ roles: asking("elicitation") });
    const found = listAccess(policies, { name: "elicitation" }).flatMap(({ grants }) => grants);
    expect(found.map(({ rule, asks }) => [rule, asks])).toEqual([["commenter#1", ["elicitation"]]]);
  });
});

it("unit tests ask, and cover the grant", async () => {
  const policies = policiesOf({
    roles: `roles:
  reader:
    grants:
      - { server: github, tools: [get_issue, list_issues] }
  commenter:
    grants:
      - { server: github, asks: [roots] }
      - { server: github, asks: [elicitation], limit: { calls: 1 } }
`,
    servers,
  });
  const text = `robot: acme/payments/triager
server: github
tests:
  - { asks: [roots, elicitation], expect: allow }
  - { asks: [sampling, logging], expect: deny, reason: no_grant }
  - { asks: [elicitation], after: [{ ask: elicitation }], expect: deny, reason: limit_reached }
  - { tools: [get_issue], expect: allow }
`;
  const suite = assembleTestSuite([{ path: "tests/a.yaml", text }], policies);
  if (!suite.ok) throw new Error(JSON.stringify(suite.problems));
  const outcomes = await runTests(policies, suite.documents);
  expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
  expect(listUntestedRules(policies, outcomes)).toEqual([]);
});

it("a role that is made of logs has it without a condition: the words were the server's", () => {
  const call = {
    ...{ server: "one", kind: "ask" as const, name: "elicitation", agent: "agent" },
    ...{ args: { message: "Which?" }, redacted: [], wasAllowed: true, reason: "granted" },
  };
  const session = {
    ...{ session: "s", run: "run 1", robot: "a/b/c", roles: [], mode: "enforce" as const },
    ...{ claims: claimsOf(), calls: [call, call, call] },
  };
  const { grants } = suggestGrants([session], { minCalls: 1, includeRefused: false });
  expect(grants).toMatchObject([{ server: "one", kind: "ask", names: ["elicitation"], isIncomplete: false }]);
  expect(grants[0]).not.toHaveProperty("when");
});
