import { describe, expect, it } from "vitest";
import { type BindingRequest, describeRefusal, matchBinding } from "../../../policies/binding/binding.ts";
import { Claims } from "../../../policies/claims.ts";
import type { Policies } from "../../../policies/policies.ts";
import { claimsOf, issuer, policiesOf, pullRequestClaims, robots, robotsWith } from "../fixtures.ts";

const policies = policiesOf();
const match = (claims: Claims, request: BindingRequest = {}) => matchBinding(policies, claims, request);

/** The code of a refusal and the field it is about, or "matched". */
const outcomeOf = (claims: Claims, given: Policies = policies): string => {
  const result = matchBinding(given, claims, {});
  return result.ok
    ? "matched"
    : `${result.code} ${result.detail.mismatches.map(({ field }) => field).join()}`;
};

describe("a binding", () => {
  it("gives its roles to a run that equals it in every field", () => {
    expect(match(claimsOf())).toEqual({
      ok: true,
      mode: "enforce",
      revokeOnChange: false,
      robot: "acme/payments/triager",
      roles: ["commenter", "reader"],
      boundRoles: ["commenter", "reader"],
      binding: 1,
      ttlSeconds: 600,
      maxSeconds: 7200,
    });
  });

  it("of a pull request matches its merge commit and its target", () => {
    expect(match(pullRequestClaims())).toMatchObject({ ok: true, binding: 2, roles: ["reader"] });
  });

  it("gives sessions of 15 minutes and 6 hours where it says nothing", () => {
    const silent = policiesOf({ robots: robots.replace(/ {4}session.*\n/, "") });
    expect(matchBinding(silent, claimsOf(), {})).toMatchObject({ ttlSeconds: 900, maxSeconds: 21600 });
  });

  it("decides alone once it has matched: a later one with other roles is not looked at", () => {
    const bindings = (environment: string, role: string) =>
      `      - workflow: .github/workflows/triage.yml\n        events: [schedule]\n        ref: refs/heads/main\n${environment}        roles: [${role}]\n`;
    const ordered = policiesOf({
      robots: robotsWith(bindings("        environment: agents\n", "reader") + bindings("", "commenter")),
    });
    expect(matchBinding(ordered, claimsOf(), {})).toMatchObject({ ok: true, binding: 1, roles: ["reader"] });
    expect(matchBinding(ordered, claimsOf(), { roles: ["commenter"] })).toMatchObject({
      code: "role_not_bound",
    });
    expect(matchBinding(ordered, claimsOf({ environment: undefined }), {})).toMatchObject({ binding: 2 });
  });
});

describe("a request", () => {
  it("may ask for fewer roles, in any order", () => {
    expect(match(claimsOf(), { roles: ["reader"] })).toMatchObject({ roles: ["reader"] });
    expect(match(claimsOf(), { roles: ["reader", "commenter"] })).toMatchObject({
      roles: ["commenter", "reader"],
    });
    expect(match(claimsOf(), { roles: [] })).toMatchObject({ roles: ["commenter", "reader"] });
  });

  it("for more roles than are bound is refused, not narrowed", () => {
    expect(match(claimsOf(), { roles: ["reader", "browser"] })).toEqual({
      ok: false,
      code: "role_not_bound",
      detail: {
        robot: "acme/payments/triager",
        mismatches: [{ binding: 1, field: "roles", expected: "commenter, reader", got: "browser" }],
      },
    });
  });

  it.each(["triager", "acme/payments/triager"])("may name the robot %s", (robot) => {
    expect(match(claimsOf(), { robot })).toMatchObject({ ok: true, robot: "acme/payments/triager" });
  });

  it.each([
    "nobody",
    "acme/ledger/triager",
    "payments/triager",
    "",
    "acme/payments/",
    "../payments/triager",
    "acme/payments/../payments/triager",
    "__proto__",
    "constructor",
    "acme/payments/constructor",
    "ACME/payments/triager",
  ])("for the robot %j, which is not this repository's, is refused", (robot) => {
    expect(match(claimsOf(), { robot })).toMatchObject({ ok: false, code: "robot_unknown" });
  });

  it("must name the robot where the repository has two", () => {
    const two = policiesOf({
      robots: robots + robots.slice(robots.indexOf("  triager:")).replace("triager:", "helper:"),
    });
    expect(matchBinding(two, claimsOf(), {})).toMatchObject({ ok: false, code: "robot_unnamed" });
    expect(matchBinding(two, claimsOf(), { robot: "helper" })).toMatchObject({
      robot: "acme/payments/helper",
    });
  });

  it("cannot reach the robot of another repository by its name", () => {
    const ledger = robots.replace("acme/payments", "acme/ledger").replace("456789", "999");
    const given = policiesOf({ robots: ledger, robotsPath: "robots/acme/ledger.yaml" });
    expect(matchBinding(given, claimsOf(), { robot: "acme/ledger/triager" })).toMatchObject({
      code: "repository_unknown",
    });
  });
});

describe("a refusal", () => {
  it("names of every binding the first field that failed, with both sides", () => {
    const refusal = match(claimsOf({ event_name: "issue_comment" }));
    expect(refusal).toEqual({
      ok: false,
      code: "no_binding",
      detail: {
        robot: "acme/payments/triager",
        mismatches: [
          {
            binding: 1,
            field: "event_name",
            expected: "schedule or workflow_dispatch",
            got: "issue_comment",
          },
          {
            binding: 2,
            field: "workflow_ref",
            expected: "acme/payments/.github/workflows/review.yml@refs/heads/main",
            got: "acme/payments/.github/workflows/triage.yml@refs/heads/main",
          },
        ],
      },
    });
    expect(refusal.ok ? "" : describeRefusal(refusal)).toBe(
      'no_binding: acme/payments/triager: binding 1: event_name is "issue_comment", expected "schedule or workflow_dispatch"; ' +
        'binding 2: workflow_ref is "acme/payments/.github/workflows/triage.yml@refs/heads/main", ' +
        'expected "acme/payments/.github/workflows/review.yml@refs/heads/main"',
    );
  });

  it("says so where a claim is missing", () => {
    expect(match(claimsOf({ environment: undefined }))).toMatchObject({
      detail: {
        mismatches: [
          { binding: 1, field: "environment", expected: "agents", got: "no claim" },
          { binding: 2 },
        ],
      },
    });
  });
});

describe("attacks with claims", () => {
  const ref = (value: string, workflow = "triage.yml") => ({
    ref: value,
    workflow_ref: `acme/payments/.github/workflows/${workflow}@${value}`,
    job_workflow_ref: `acme/payments/.github/workflows/${workflow}@${value}`,
  });

  it.each([
    ["legacy", "repo:acme/payments:ref:refs/heads/main"],
    ["legacy with an environment", "repo:acme/payments:environment:agents"],
    ["immutable", "repo:acme@123456/payments@456789:ref:refs/heads/main"],
    ["immutable with an environment", "repo:acme@123456/payments@456789:environment:agents"],
    ["templated", "repository_owner_id:123456:repository_id:456789:event_name:schedule"],
    ["templated without ids", "event_name:schedule:actor:octocat"],
    ["templated with an escaped colon", "environment:repository_id%3A1:repo:acme/payments"],
  ])("a %s `sub` that agrees is accepted", (_, sub) => {
    expect(outcomeOf(claimsOf({ sub }))).toBe("matched");
  });

  it.each([
    ["repository", "repo:acme@123456/payments@456780:ref:refs/heads/main"],
    ["owner", "repo:acme@123450/payments@456789:ref:refs/heads/main"],
    ["owner, the repository without id", "repo:acme@1/payments:ref:refs/heads/main"],
    ["repository, with zeros in front", "repo:acme@123456/payments@0456789:ref:refs/heads/main"],
    ["repository, empty", "repo:acme@123456/payments@:ref:refs/heads/main"],
    ["repository, with two @", "repo:acme@123456/payments@456789@1:ref:refs/heads/main"],
    ["repository in a template", "repository_id:1:event_name:schedule"],
    ["owner in a template", "event_name:schedule:repository_owner_id:1"],
    ["owner in a template by name", "repository_owner:acme@1:event_name:schedule"],
    ["repository in a template by name", "repository:acme@123456/payments@1"],
  ])("`sub` ids that contradict the id claims: %s", (_, sub) => {
    expect(outcomeOf(claimsOf({ sub }))).toBe("claims_contradictory sub");
  });

  it("a recreated repository: the same name, a new id", () => {
    expect(outcomeOf(claimsOf({ repository_id: "456790" }))).toBe("repository_unknown repository_id");
  });

  it("a recreated owner: the same names, a new owner id", () => {
    expect(outcomeOf(claimsOf({ repository_owner_id: "123457" }))).toBe("owner_mismatch repository_owner_id");
  });

  it("the same ids from another issuer", () => {
    expect(outcomeOf(claimsOf({ iss: "https://ghes.example.com/_services/token" }))).toBe(
      "repository_unknown repository_id",
    );
    expect(outcomeOf(claimsOf({ iss: `${issuer}/` }))).toBe("repository_unknown repository_id");
    expect(outcomeOf(claimsOf({ iss: issuer.toUpperCase() }))).toBe("repository_unknown repository_id");
  });

  it("a renamed repository is accepted, and the new name is told", () => {
    const renamed = claimsOf({
      repository: "acme/billing",
      sub: "repo:acme@123456/billing@456789:environment:agents",
      workflow_ref: "acme/billing/.github/workflows/triage.yml@refs/heads/main",
      job_workflow_ref: "acme/billing/.github/workflows/triage.yml@refs/heads/main",
    });
    expect(match(renamed)).toMatchObject({
      ok: true,
      robot: "acme/payments/triager",
      renamedTo: "acme/billing",
    });
    expect(match(renamed, { robot: "acme/billing/triager" })).toMatchObject({ ok: true });
  });

  it.each(["pull_request_target", "issue_comment", "workflow_run", "issues", "an_event_of_2031"])(
    "%s on main",
    (event_name) => {
      expect(outcomeOf(claimsOf({ event_name }))).toBe("no_binding event_name,workflow_ref");
    },
  );

  it("a fork's refs/pull/1/merge against a binding of main", () => {
    expect(outcomeOf(claimsOf(ref("refs/pull/1/merge")))).toBe("no_binding ref,workflow_ref");
  });

  it.each([
    "refs/heads/main-evil",
    "refs/tags/main",
    "refs/heads/x/refs/heads/main",
    "main",
    "refs/heads/main/",
    "refs/heads/Main",
    " refs/heads/main",
    "refs/heads/main\u0000",
    "refs/heads/mаin",
  ])("the ref %j is not refs/heads/main", (value) => {
    expect(outcomeOf(claimsOf(ref(value)))).toBe("no_binding ref,workflow_ref");
  });

  it.each(["Agents", "agents:x", "agents%3Ax", " agents", "", "agents\u0000"])(
    "the environment %j is not agents",
    (environment) => {
      expect(outcomeOf(claimsOf({ environment }))).toBe("no_binding environment,workflow_ref");
    },
  );

  it.each([
    [
      "a branch with @ that ends like the path",
      "acme/payments/.github/workflows/triage.yml@refs/heads/x@refs/heads/main",
    ],
    [
      "a file whose name holds the ref",
      "acme/payments/.github/workflows/triage.yml@refs/heads/main.yml@refs/heads/main",
    ],
    ["a path that climbs", "acme/payments/.github/workflows/../workflows/triage.yml@refs/heads/main"],
    ["a path inside another", "acme/payments/x/.github/workflows/triage.yml@refs/heads/main"],
    ["a look-alike", "acme/payments/.github/workflows/trıage.yml@refs/heads/main"],
    ["another case", "acme/payments/.github/workflows/Triage.yml@refs/heads/main"],
    ["another extension", "acme/payments/.github/workflows/triage.yaml@refs/heads/main"],
    ["another repository", "acme/ledger/.github/workflows/triage.yml@refs/heads/main"],
    ["a repository that begins alike", "acme/payments-evil/.github/workflows/triage.yml@refs/heads/main"],
    ["another ref than the claim", "acme/payments/.github/workflows/triage.yml@refs/heads/evil"],
    ["a commit for the ref", `acme/payments/.github/workflows/triage.yml@${"a".repeat(40)}`],
    ["no ref", "acme/payments/.github/workflows/triage.yml"],
    ["no repository", ".github/workflows/triage.yml@refs/heads/main"],
    ["a URL", "https://github.com/acme/payments/.github/workflows/triage.yml@refs/heads/main"],
  ])("`workflow_ref` with %s", (_, workflow_ref) => {
    expect(outcomeOf(claimsOf({ workflow_ref, job_workflow_ref: workflow_ref }))).toBe(
      "no_binding workflow_ref,workflow_ref",
    );
  });

  it.each([
    [
      "a third party's reusable workflow called from ours",
      "evil/flows/.github/workflows/agent.yml@refs/tags/v1",
    ],
    ["a reusable workflow of our own", "acme/payments/.github/workflows/agent.yml@refs/heads/main"],
    ["our workflow on another branch", "acme/payments/.github/workflows/triage.yml@refs/heads/evil"],
  ])("%s does not inherit the robot", (_, job_workflow_ref) => {
    expect(outcomeOf(claimsOf({ job_workflow_ref }))).toBe("no_binding job_workflow_ref,workflow_ref");
  });

  describe("`job_workflow_ref`, where the binding names a commit", () => {
    const flow = "acme/flows/.github/workflows/agent.yml";
    const pinned = policiesOf({
      robots: robots.replace(
        "        environment: agents\n",
        `        job_workflow_ref: ${flow}@${"a".repeat(40)}\n`,
      ),
    });
    it.each([
      [`${flow}@${"a".repeat(40)}`, "matched"],
      [`${flow}@${"b".repeat(40)}`, "no_binding job_workflow_ref,workflow_ref"],
      [`${flow}@refs/heads/main`, "no_binding job_workflow_ref,workflow_ref"],
      [`${flow}@refs/tags/v1`, "no_binding job_workflow_ref,workflow_ref"],
      [
        "acme/payments/.github/workflows/triage.yml@refs/heads/main",
        "no_binding job_workflow_ref,workflow_ref",
      ],
    ])("%s: %s", (job_workflow_ref, outcome) => {
      expect(outcomeOf(claimsOf({ job_workflow_ref }), pinned)).toBe(outcome);
    });
  });

  it("pull_request from a branch of the same repository that edits another workflow", () => {
    const edited = "acme/payments/.github/workflows/triage.yml@refs/pull/7/merge";
    expect(outcomeOf(pullRequestClaims({ workflow_ref: edited, job_workflow_ref: edited }))).toBe(
      "no_binding event_name,workflow_ref",
    );
  });

  it.each([
    ["into another branch", { base_ref: "release" }, "base_ref"],
    ["into a branch written in full", { base_ref: "refs/heads/main" }, "base_ref"],
    ["without a target", { base_ref: undefined }, "base_ref"],
    ["on its head", ref("refs/pull/7/head", "review.yml"), "ref"],
    ["on a branch", ref("refs/heads/main", "review.yml"), "ref"],
    ["with a number that is none", ref("refs/pull/7x/merge", "review.yml"), "ref"],
    ["with a branch that looks like one", ref("refs/heads/refs/pull/7/merge", "review.yml"), "ref"],
    ["with lines", ref("refs/pull/7/merge\nrefs/pull/7/merge", "review.yml"), "ref"],
  ])("pull_request %s", (_, changes, field) => {
    expect(outcomeOf(pullRequestClaims(changes))).toBe(`no_binding workflow_ref,${field}`);
  });

  it("a self-hosted runner, whether or not the binding names one", () => {
    expect(outcomeOf(claimsOf({ runner_environment: "self-hosted" }))).toBe(
      "no_binding runner_environment,workflow_ref",
    );
    const silent = policiesOf({ robots: robots.replace("        runner: github-hosted\n", "") });
    expect(outcomeOf(claimsOf({ runner_environment: "self-hosted" }), silent)).toBe(
      "no_binding runner_environment,workflow_ref",
    );
    const own = policiesOf({ robots: robots.replace("runner: github-hosted", "runner: self-hosted") });
    expect(outcomeOf(claimsOf({ runner_environment: "self-hosted" }), own)).toBe("matched");
    expect(outcomeOf(claimsOf(), own)).toBe("no_binding runner_environment,workflow_ref");
  });

  it.each([
    ["another owner", { repository_owner: "evil" }],
    ["a deeper name", { repository: "acme/payments/x" }],
    ["no name", { repository: "acme/" }],
    ["no owner", { repository: "payments" }],
  ])("a repository claim that contradicts itself: %s", (_, changes) => {
    expect(outcomeOf(claimsOf(changes))).toBe("claims_contradictory repository");
  });

  it.each([
    ["a number as id", { repository_id: 456789 }],
    ["an id in an array", { repository_id: ["456789"] }],
    ["an id with a sign", { repository_id: "+456789" }],
    ["an id with a line", { repository_id: "456789\n" }],
    ["an id of other digits", { repository_id: "４５６７８９" }],
    ["null as ref", { ref: null }],
    ["an object as event", { event_name: { toString: "schedule" } }],
    ["an array as event", { event_name: ["schedule"] }],
    ["an empty ref", { ref: "" }],
    ["true as environment", { environment: true }],
    ["no workflow", { workflow_ref: undefined }],
    ["no job workflow", { job_workflow_ref: undefined }],
    ["no runner", { runner_environment: undefined }],
    ["no owner id", { repository_owner_id: undefined }],
  ])("claims that are no claims: %s", (_, changes) => {
    expect(() => claimsOf(changes)).toThrow();
  });

  it("`__proto__` as a claim changes nothing", () => {
    const claims = Claims.parse(
      JSON.parse(
        `{"__proto__":{"event_name":"schedule"},${JSON.stringify(claimsOf({ event_name: "push" })).slice(1)}`,
      ),
    );
    expect(outcomeOf(claims)).toBe("no_binding event_name,workflow_ref");
    expect(outcomeOf(claimsOf({ event_name: "__proto__" }))).toBe("no_binding event_name,workflow_ref");
    expect(outcomeOf(claimsOf({ event_name: "constructor" }))).toBe("no_binding event_name,workflow_ref");
  });
});

describe("a binding's mode and a robot's wish to lose what is taken away", () => {
  const observed = robots
    .replace("roles: [commenter, reader]", "roles: []\n        mode: observe")
    .replace("max: 2h", "max: 2h, revoke_on_change: true");

  it("come with the match: whoever is only looked at may have no roles at all", () => {
    const matched = matchBinding(policiesOf({ robots: observed }), claimsOf(), {});
    expect(matched).toMatchObject({ ok: true, roles: [], mode: "observe", revokeOnChange: true });
  });
});
