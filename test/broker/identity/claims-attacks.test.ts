/** What a verified token may say and still not get a robot: every attack is made at a listening broker, over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestBroker } from "../../support/broker.ts";
import { assembleToken } from "../../support/scripted-issuer.ts";
import { attempt, newJob, startTarget } from "./attempts.ts";

let on: TestBroker;
beforeAll(async () => {
  on = await startTarget();
});
afterAll(async () => {
  await on.close();
});

const WORKFLOW = "acme/payments/.github/workflows/triage.yml";
const MAIN = `${WORKFLOW}@refs/heads/main`;

/** `accepted`, or the code with the reason and the fields that were at fault. */
async function outcomeOf(claims: Record<string, unknown>, robot = "triager"): Promise<string> {
  const { code, detail } = await attempt(on, await on.subjectToken({ ...newJob(), ...claims }), { robot });
  if (code !== "robot_refused") return code === "claims_missing" ? `${code} ${detail.split(": ")[1]}` : code;
  const [reason = "", ...rest] = detail.split(": ");
  const { mismatches } = JSON.parse(rest.join(": "));
  return [reason, ...mismatches.map(({ field }: { field: string }) => field)].join(" ");
}
/** The workflow on another ref, as GitHub writes it everywhere at once. */
const onRef = (ref: string, workflow = WORKFLOW) => ({
  ref,
  workflow_ref: `${workflow}@${ref}`,
  job_workflow_ref: `${workflow}@${ref}`,
});

describe("sub", () => {
  test.each([
    ["legacy", "repo:acme/payments:ref:refs/heads/main"],
    ["immutable", "repo:acme@123456/payments@456789:ref:refs/heads/main"],
  ])("legacy and immutable sub forms: %s", async (_, sub) => {
    expect(await outcomeOf({ sub })).toBe("accepted");
    expect(await outcomeOf({ sub, environment: "agents" }, "deployer")).toBe("accepted");
  });

  test.each([
    ["with ids", "repository_owner_id:123456:repository_id:456789:event_name:schedule"],
    ["without ids", "event_name:schedule:actor:octocat"],
    ["of one word", "anything"],
    ["that only looks like another repository's", "environment:repo%3Aevil@1/x@1"],
  ])("a templated sub %s", async (_, sub) => {
    expect(await outcomeOf({ sub })).toBe("accepted");
  });

  test.each([
    ["another repository", "repo:acme@123456/payments@456780:ref:refs/heads/main"],
    ["another owner", "repo:acme@123450/payments@456789:ref:refs/heads/main"],
    ["another owner, the repository without id", "repo:acme@1/payments:ref:refs/heads/main"],
    ["zeros in front", "repo:acme@123456/payments@0456789:ref:refs/heads/main"],
    ["no id behind the @", "repo:acme@123456/payments@:ref:refs/heads/main"],
    ["two @", "repo:acme@123456/payments@456789@1:ref:refs/heads/main"],
    ["a template's repository_id", "repository_id:1:event_name:schedule"],
    ["a template's repository_owner_id", "event_name:schedule:repository_owner_id:1"],
    ["a template's repository", "repository:acme@123456/payments@1"],
    ["a template's owner", "repository_owner:acme@1:event_name:schedule"],
    ["ids that agree, and then others", "repo:acme@123456/payments@456789:repository_id:1"],
  ])("sub ids that contradict the id claims: %s", async (_, sub) => {
    expect(await outcomeOf({ sub })).toBe("claims_contradictory sub");
  });

  test("a sub of this repository does not authorise another one", async () => {
    const sub = "repo:acme/payments:ref:refs/heads/main";
    expect(await outcomeOf({ sub, repository_id: "999" })).toBe("repository_unknown repository_id");
  });
});

describe("the repository", () => {
  test("a recreated repository: same name, new id", async () => {
    const sub = "repo:acme/payments:ref:refs/heads/main";
    expect(await outcomeOf({ sub, repository_id: "456790" })).toBe("repository_unknown repository_id");
  });

  test("a recreated owner: same names, new owner id", async () => {
    const sub = "repo:acme/payments:ref:refs/heads/main";
    expect(await outcomeOf({ sub, repository_owner_id: "123457" })).toBe(
      "owner_mismatch repository_owner_id",
    );
  });

  test("a repository that was transferred to another owner", async () => {
    const moved = {
      ...onRef("refs/heads/main", "evil/payments/.github/workflows/triage.yml"),
      repository: "evil/payments",
      repository_owner: "evil",
      repository_owner_id: "666",
      sub: "repo:evil@666/payments@456789:ref:refs/heads/main",
    };
    expect(await outcomeOf(moved)).toBe("owner_mismatch repository_owner_id");
  });

  test("a renamed one: accepted, logged", async () => {
    const renamed = {
      ...onRef("refs/heads/main", "acme/billing/.github/workflows/triage.yml"),
      repository: "acme/billing",
      sub: "repo:acme@123456/billing@456789:ref:refs/heads/main",
    };
    expect(await outcomeOf(renamed)).toBe("accepted");
    expect(on.logged.findLast(({ msg }) => msg === "session")).toMatchObject({
      robot: "acme/payments/triager",
      renamedTo: "acme/billing",
    });
  });

  test("a name that was freed by the rename and taken by somebody else", async () => {
    const sub = "repo:acme@123456/payments@777:ref:refs/heads/main";
    expect(await outcomeOf({ sub, repository_id: "777" })).toBe("repository_unknown repository_id");
  });

  test.each([
    ["another owner", { repository_owner: "evil" }],
    ["a deeper name", { repository: "acme/payments/x" }],
    ["no name", { repository: "acme/" }],
    ["no owner", { repository: "payments" }],
  ])("a repository claim that contradicts itself: %s", async (_, changes) => {
    expect(await outcomeOf(changes)).toBe("claims_contradictory repository");
  });
});

describe("the trigger", () => {
  test("pull_request_target on main", async () => {
    expect(await outcomeOf({ event_name: "pull_request_target", base_ref: "main", head_ref: "evil" })).toBe(
      "no_binding event_name",
    );
  });

  test.each([
    "issue_comment",
    "workflow_run",
    "issues",
    "discussion",
    "watch",
    "fork",
    "repository_dispatch",
  ])("%s on main", async (event_name) => {
    expect(await outcomeOf({ event_name })).toBe("no_binding event_name");
  });

  test.each([
    "an_event_of_2031",
    "Schedule",
    "schedule ",
    "schedule\u0000",
    "schedule,push",
    "__proto__",
    "*",
  ])("an event name nobody has heard of: %j", async (event_name) => {
    expect(await outcomeOf({ event_name })).toBe("no_binding event_name");
  });

  test("an event name nobody has heard of is untrusted: no document gives it more than read-only tools", async () => {
    const robots = (event: string, roles: string): string =>
      `issuer: https://token.actions.githubusercontent.com\nrepository: acme/payments\nrepository_id: "1"\nrepository_owner_id: "1"\nrobots: { r: { bindings: [{ workflow: .github/workflows/a.yml, events: [${event}], ref: refs/heads/main, roles: [${roles}] }] } }\n`;
    const { assemblePolicies } = await import("../../../policies/loading.ts");
    const { ROLES, SERVERS } = await import("../../support/broker.ts");
    const loads = (event: string, roles: string): boolean =>
      assemblePolicies([
        { path: "servers.yaml", text: SERVERS },
        { path: "roles.yaml", text: ROLES },
        { path: "robots/acme/payments.yaml", text: robots(event, roles) },
      ]).ok;
    expect([loads("an_event_of_2031", "reader"), loads("an_event_of_2031", "writer")]).toEqual([true, false]);
    expect(loads("schedule", "writer")).toBe(true);
  });

  test("a binding of an untrusted event is a binding of that event alone", async () => {
    const answer = onRef("refs/heads/main", "acme/payments/.github/workflows/answer.yml");
    expect(await outcomeOf({ ...answer, event_name: "issue_comment" }, "answerer")).toBe("accepted");
    expect(await outcomeOf({ ...answer, event_name: "issues" }, "answerer")).toBe("no_binding event_name");
  });
});

describe("the ref", () => {
  test("fork refs/pull/1/merge", async () => {
    expect(
      await outcomeOf({ ...onRef("refs/pull/1/merge"), event_name: "pull_request", base_ref: "main" }),
    ).toBe("no_binding workflow_ref".replace("workflow_ref", "event_name"));
    expect(await outcomeOf(onRef("refs/pull/1/merge"))).toBe("no_binding ref");
  });

  test.each([
    ["branch main-evil", "refs/heads/main-evil"],
    ["tag main", "refs/tags/main"],
    ["x/refs/heads/main", "refs/heads/x/refs/heads/main"],
    ["x/refs/heads/main without its prefix", "x/refs/heads/main"],
    ["the short name", "main"],
    ["a slash more", "refs/heads/main/"],
    ["another case", "refs/heads/Main"],
    ["a space before", " refs/heads/main"],
    ["a newline after", "refs/heads/main\n"],
    ["NUL", "refs/heads/main\u0000"],
    ["a homoglyph", "refs/heads/mаin"],
    ["a decomposed letter", "refs/heads/ma\u0131\u0307n"],
    ["a remote's", "refs/remotes/origin/main"],
  ])("%s", async (_, ref) => {
    expect(await outcomeOf(onRef(ref))).toBe("no_binding ref");
  });

  test("the ref of main with the workflow of another branch", async () => {
    expect(await outcomeOf({ ...onRef("refs/heads/evil"), ref: "refs/heads/main" })).toBe(
      "no_binding workflow_ref",
    );
  });
});

describe("the environment", () => {
  test("the one that the binding names", async () => {
    expect(await outcomeOf({ environment: "agents" }, "deployer")).toBe("accepted");
  });

  test.each([
    ["agents:x"],
    ["x:agents"],
    ["agents%3Ax"],
    ["Agents"],
    ["AGENTS"],
    [" agents"],
    ["agents\u0000"],
    [""],
    [undefined],
  ])("environment with :, other case, or none: %j", async (environment) => {
    expect(await outcomeOf({ environment }, "deployer")).toBe("no_binding environment");
  });

  test("an environment in sub is not one", async () => {
    const sub = "repo:acme@123456/payments@456789:environment:agents";
    expect(await outcomeOf({ sub }, "deployer")).toBe("no_binding environment");
  });
});

describe("the workflow", () => {
  test.each([
    ["a branch with @ that ends like the path", `${WORKFLOW}@refs/heads/x@refs/heads/main`],
    ["a file whose name holds the ref", `${WORKFLOW}@refs/heads/main.yml@refs/heads/main`],
    ["a path that climbs", "acme/payments/.github/workflows/../workflows/triage.yml@refs/heads/main"],
    ["a path inside another", "acme/payments/x/.github/workflows/triage.yml@refs/heads/main"],
    ["a look-alike", "acme/payments/.github/workflows/trıage.yml@refs/heads/main"],
    ["another case", "acme/payments/.github/workflows/Triage.yml@refs/heads/main"],
    ["another extension", "acme/payments/.github/workflows/triage.yaml@refs/heads/main"],
    ["two slashes", "acme/payments//.github/workflows/triage.yml@refs/heads/main"],
    ["another repository", "acme/ledger/.github/workflows/triage.yml@refs/heads/main"],
    ["a repository that begins alike", "acme/payments-evil/.github/workflows/triage.yml@refs/heads/main"],
    ["another branch", `${WORKFLOW}@refs/heads/evil`],
    ["a commit for the ref", `${WORKFLOW}@${"a".repeat(40)}`],
    ["no ref", WORKFLOW],
    ["no repository", ".github/workflows/triage.yml@refs/heads/main"],
    ["a URL", `https://github.com/${MAIN}`],
    ["a newline", `${MAIN}\n`],
  ])("workflow_ref with @ tricks and look-alike paths: %s", async (_, workflow_ref) => {
    expect(await outcomeOf({ workflow_ref, job_workflow_ref: workflow_ref })).toBe("no_binding workflow_ref");
    expect(await outcomeOf({ workflow_ref })).toBe("no_binding workflow_ref");
  });

  const flow = "acme/flows/.github/workflows/agent.yml";
  test.each([
    [
      "a third party's reusable workflow called from ours",
      "evil/flows/.github/workflows/agent.yml@refs/tags/v1",
    ],
    ["a reusable workflow of our own", "acme/payments/.github/workflows/agent.yml@refs/heads/main"],
    ["our own workflow on another branch", `${WORKFLOW}@refs/heads/evil`],
    ["one that another robot may use", `${flow}@${"a".repeat(40)}`],
  ])("%s", async (_, job_workflow_ref) => {
    expect(await outcomeOf({ job_workflow_ref })).toBe("no_binding job_workflow_ref");
  });

  test("the reusable workflow that a binding names, at the commit that it names", async () => {
    expect(await outcomeOf({ job_workflow_ref: `${flow}@${"a".repeat(40)}` }, "borrower")).toBe("accepted");
  });

  test.each([
    ["job_workflow_ref on a branch", `${flow}@refs/heads/main`],
    ["on a tag", `${flow}@refs/tags/v1`],
    ["at another commit", `${flow}@${"b".repeat(40)}`],
    ["at a shorter commit", `${flow}@${"a".repeat(7)}`],
    ["at the commit in capitals", `${flow}@${"A".repeat(40)}`],
    ["of somebody else", `evil/flows/.github/workflows/agent.yml@${"a".repeat(40)}`],
    ["ours itself", MAIN],
  ])("%s, where the binding names a commit", async (_, job_workflow_ref) => {
    expect(await outcomeOf({ job_workflow_ref }, "borrower")).toBe("no_binding job_workflow_ref");
  });

  const review = "acme/payments/.github/workflows/review.yml";
  const pull = (changes: Record<string, unknown> = {}) => ({
    ...onRef("refs/pull/7/merge", review),
    event_name: "pull_request",
    base_ref: "main",
    head_ref: "feature",
    sub: "repo:acme@123456/payments@456789:pull_request",
    ...changes,
  });

  test("pull_request from a branch of the same repository that edits the workflow: the reading robot, and no other", async () => {
    expect(await outcomeOf(pull(), "reviewer")).toBe("accepted");
    const edited = { ...pull(), ...onRef("refs/pull/7/merge") };
    for (const robot of ["triager", "deployer", "borrower"]) {
      expect(await outcomeOf(edited, robot)).toBe("no_binding event_name");
    }
    expect(await outcomeOf(edited, "reviewer")).toBe("no_binding workflow_ref");
  });

  test.each([
    ["into another branch", { base_ref: "release" }, "base_ref"],
    ["into a branch written in full", { base_ref: "refs/heads/main" }, "base_ref"],
    ["without a target", { base_ref: undefined }, "base_ref"],
    ["on its head", onRef("refs/pull/7/head", review), "ref"],
    ["on a branch", onRef("refs/heads/main", review), "ref"],
    ["with a number that is none", onRef("refs/pull/7x/merge", review), "ref"],
    ["with a branch that looks like one", onRef("refs/heads/refs/pull/7/merge", review), "ref"],
    ["by pull_request_target", { event_name: "pull_request_target" }, "event_name"],
  ])("pull_request %s", async (_, changes, field) => {
    expect(await outcomeOf(pull(changes), "reviewer")).toBe(`no_binding ${field}`);
  });
});

describe("the runner", () => {
  test("self-hosted runner", async () => {
    expect(await outcomeOf({ runner_environment: "self-hosted" })).toBe("no_binding runner_environment");
    expect(await outcomeOf({ runner_environment: "self-hosted" }, "resident")).toBe("accepted");
    expect(await outcomeOf({}, "resident")).toBe("no_binding runner_environment");
  });

  test.each(["Self-Hosted", "github-hosted ", "larger", "__proto__"])(
    "a runner nobody has heard of: %j",
    async (name) => {
      expect(await outcomeOf({ runner_environment: name })).toBe("no_binding runner_environment");
      expect(await outcomeOf({ runner_environment: name }, "resident")).toBe("no_binding runner_environment");
    },
  );
});

describe("values that are none", () => {
  const required = [
    ...[
      "sub",
      "repository",
      "repository_id",
      "repository_owner",
      "repository_owner_id",
      "run_id",
      "run_attempt",
    ],
    ...["workflow_ref", "job_workflow_ref", "event_name", "ref", "runner_environment"],
  ];
  test.each(required)("numbers, arrays, null as claim values, or nothing at all: %s", async (name) => {
    for (const value of [456_789, ["456789"], null, "", undefined, true, { toString: "456789" }]) {
      expect(await outcomeOf({ [name]: value }), JSON.stringify(value)).toBe(`claims_missing ${name}`);
    }
  });

  test.each(["check_run_id", "environment", "base_ref", "head_ref", "actor"])(
    "numbers, arrays, null in a claim that may be missing: %s",
    async (name) => {
      for (const value of [1, ["agents"], null, {}]) {
        expect(await outcomeOf({ [name]: value }), JSON.stringify(value)).toBe(`claims_missing ${name}`);
      }
    },
  );

  test.each(["+456789", "456789\n", " 456789", "0x6f855", "4.56789e5", "４５６７８９", "-1", "9".repeat(21)])(
    "an id that is no decimal number: %j",
    async (repository_id) => {
      expect(await outcomeOf({ repository_id, run_id: "1" })).toBe("claims_missing repository_id");
    },
  );

  test("an id with zeros in front is another id", async () => {
    const sub = "repo:acme/payments:ref:refs/heads/main";
    expect(await outcomeOf({ sub, repository_id: "0456789" })).toBe("repository_unknown repository_id");
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "%s as a claim value",
    async (value) => {
      expect(await outcomeOf({ event_name: value })).toBe("no_binding event_name");
      expect(await outcomeOf({ environment: value }, "deployer")).toBe("no_binding environment");
      expect(await outcomeOf({ repository_owner: value, repository: `${value}/payments` })).toMatch(
        /^no_binding/,
      );
    },
  );

  test.each(["__proto__", "constructor", "triager/../sleeper"])("%s as a robot", async (robot) => {
    const { code } = await attempt(on, await on.subjectToken(newJob()), { robot });
    expect(code).toMatch(/robot_refused|scope_malformed/);
  });

  test("__proto__ as a claim name brings no claim", async () => {
    for (const name of ["__proto__", "constructor"]) {
      const claims = { ...JSON.parse(await claimsText()), event_name: undefined };
      const payload = `{${JSON.stringify(name)}:{"event_name":"schedule"},${JSON.stringify(claims).slice(1)}`;
      const { code, detail } = await attempt(on, await signText(payload));
      expect([code, detail]).toEqual(["claims_missing", expect.stringContaining("event_name")]);
    }
  });
});

async function claimsText(): Promise<string> {
  const token = await on.subjectToken(newJob());
  return Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
}

async function signText(payload: string): Promise<string> {
  const input = assembleToken({ typ: "JWT", alg: "RS256", kid: "key-1" }, payload, "").slice(0, -1);
  const { privateKey } = on.issuer.key;
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString("base64url")}`;
}
