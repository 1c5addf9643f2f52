import { describe, expect, it } from "vitest";
import { listAccess } from "../../../policies/authoring/access-list.ts";
import { explainCall } from "../../../policies/authoring/explanation.ts";
import { openRehearsal } from "../../../policies/authoring/rehearsal.ts";
import { placeRules } from "../../../policies/authoring/rule-places.ts";
import type { Call } from "../../../policies/decision.ts";
import type { Policies } from "../../../policies/policies.ts";
import { claimsOf, filesOf, policiesOf, roles, servers } from "../fixtures.ts";

const comment: Call = {
  server: "github",
  kind: "tool",
  name: "add_comment",
  args: { owner: "acme", repo: "payments" },
  agent: "agent",
};

async function explain(
  call: Partial<Call>,
  { policies = policiesOf(), names = ["commenter", "reader"], before = [] as Call[] } = {},
) {
  const session = {
    robot: "acme/payments/triager",
    roles: names,
    mode: "enforce" as const,
    claims: claimsOf(),
  };
  const rehearsal = await openRehearsal(policies, session);
  for (const each of before) rehearsal.play(each);
  return explainCall(policies, rehearsal, { ...comment, ...call });
}

describe("the explanation of a call", () => {
  it("names the grant that allows it, with the value of its condition and what that looked at", async () => {
    expect(await explain({})).toMatchObject({
      verdict: { effect: "allow", rule: "commenter#1" },
      considered: [
        {
          rule: "commenter#1",
          says: "allows",
          condition: {
            value: "true",
            saw: [
              { name: "args.owner", value: '"acme"' },
              { name: "run.repository_owner", value: '"acme"' },
              { name: "args.repo", value: '"payments"' },
              { name: "run.repository_name", value: '"payments"' },
            ],
          },
        },
      ],
    });
  });

  it("tells a condition that is false from one that cannot be evaluated, and shows what is missing", async () => {
    const other = await explain({ args: { owner: "other", repo: "payments" } });
    expect(other.considered[0]).toMatchObject({ says: "condition_false", condition: { value: "false" } });
    const missing = await explain({ args: {} });
    expect(missing.verdict).toMatchObject({ reason: "condition_error" });
    expect(missing.considered[0]?.condition?.saw).toContainEqual({ name: "args.owner", value: undefined });
    expect(missing.advice[0]).toContain("has()");
  });

  it("asks every grant that names the call, not only the one that decides", async () => {
    const twice = policiesOf({
      roles: roles.replace("  browser:", "      - server: github\n        tools: [add_*]\n  browser:"),
    });
    const { considered, verdict } = await explain({ args: {} }, { policies: twice });
    expect(considered.map(({ rule, says }) => [rule, says])).toEqual([
      ["commenter#1", "condition_error"],
      ["commenter#2", "allows"],
    ]);
    expect(verdict).toMatchObject({ effect: "allow", rule: "commenter#2" });
  });

  it("counts what came before: a limit says how much of it is used", async () => {
    const limited = policiesOf({
      roles: roles.replace("tools: [add_comment]", "tools: [add_comment]\n        limit: { calls: 2 }"),
    });
    const { verdict, considered, advice } = await explain(
      {},
      { policies: limited, before: [comment, comment] },
    );
    expect(verdict).toMatchObject({ reason: "limit_reached", rule: "commenter#1" });
    expect(considered[0]).toMatchObject({
      says: "limit_reached",
      limit: { calls: 2, used: 2 },
      condition: { value: "true" },
    });
    expect(advice).toEqual(["raise the limit of commenter#1 above 2 calls a session"]);
  });

  it("names the flow rule that took a call away, and what the session has read", async () => {
    const flow = policiesOf({
      servers: servers.replace("    tools:\n", "    reads: [untrusted]\n    writes: [public]\n    tools:\n"),
      roles: roles.replace(
        "  commenter:\n",
        "    flow:\n      - { after: [untrusted], deny: [public] }\n  commenter:\n",
      ),
    });
    const read: Call = { ...comment, name: "get_issue", args: {} };
    expect(await explain({}, { policies: flow, before: [read] })).toMatchObject({
      verdict: { reason: "flow", rule: "reader~1" },
      labels: ["untrusted"],
      considered: [{ rule: "commenter#1", says: "allows" }],
    });
  });

  it("proposes a near name, the roles that would do, and last a new grant", async () => {
    expect((await explain({ name: "get_isue" })).advice).toEqual([
      "did you mean get_issue?",
      "the role browser names it: give the binding this role",
      'add a grant to commenter or reader: { server: github, tools: ["get_isue"] }',
    ]);
    expect((await explain({ server: "gitub" })).advice).toEqual([
      "there is no server gitub in servers.yaml (did you mean github?)",
    ]);
  });

  it("says that a tool which is not in the lock does not exist, whatever the grants say", async () => {
    const locked: Policies = { ...policiesOf(), lock: new Map([["github", { tools: {} }]]) };
    const { verdict, advice, considered } = await explain({}, { policies: locked });
    expect(verdict).toEqual({ effect: "deny", reason: "unreviewed" });
    expect(advice[0]).toContain("lanyard policy lock");
    expect(considered[0]).toMatchObject({ says: "allows" });
  });
});

describe("the place of a rule", () => {
  it("is where it stands in roles.yaml, with the lines it consists of", () => {
    const places = placeRules(filesOf({}));
    expect(places.get("commenter#1")).toEqual({
      file: "roles.yaml",
      line: 8,
      column: 9,
      text: "server: github\ntools: [add_comment]\nwhen: args.owner == run.repository_owner && args.repo == run.repository_name",
    });
    expect([...places.keys()]).toEqual(["reader#1", "commenter#1", "browser#1"]);
  });

  it("is unknown where the document does not load", () => {
    expect(placeRules(filesOf({ roles: "roles: 1\n" })).size).toBe(0);
    expect(placeRules([]).size).toBe(0);
  });
});

describe("the list of who can call what", () => {
  const who = (filter: Parameters<typeof listAccess>[1], policies = policiesOf()) =>
    listAccess(policies, filter).map(({ robot, number, grants, observed }) =>
      [`${robot} ${number}`, ...grants.map(({ rule }) => rule), ...observed.map(({ tool }) => tool)].join(
        " ",
      ),
    );

  it("holds for each binding the grants of its roles", () => {
    expect(who({})).toEqual([
      "acme/payments/triager 1 commenter#1 reader#1",
      "acme/payments/triager 2 reader#1",
    ]);
  });

  it("leaves with a filter what can reach the named thing, patterns included", () => {
    expect(who({ name: "add_comment" })).toEqual([
      "acme/payments/triager 1 commenter#1",
      "acme/payments/triager 2",
    ]);
    expect(who({ robot: "triager", server: "memory" })).toEqual([
      "acme/payments/triager 1",
      "acme/payments/triager 2",
    ]);
    expect(who({ robot: "acme/other" })).toEqual([]);
    const resources = policiesOf({
      roles: roles.replace("tools: [get_issue, list_issues]", 'resources: ["repo://{run.repository}/*"]'),
    });
    expect(who({ name: "repo://acme/payments/x" }, resources)[1]).toBe("acme/payments/triager 2 reader#1");
    expect(who({ name: "file://x" }, resources)[1]).toBe("acme/payments/triager 2");
  });
});
