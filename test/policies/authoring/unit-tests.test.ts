import { describe, expect, it } from "vitest";
import { assembleTestSuite } from "../../../policies/authoring/test-suite.ts";
import { listUntestedRules, runTests } from "../../../policies/authoring/unit-tests.ts";
import { policiesOf, renderProblem, roles } from "../fixtures.ts";

const limited = policiesOf({
  roles: roles.replace("tools: [add_comment]", "tools: [add_comment]\n        limit: { calls: 2 }"),
});
const head = "robot: acme/payments/triager\nserver: github\ntests:\n";
const own = "args: { owner: acme, repo: payments }";

function suiteOf(tests: string, top = head) {
  return assembleTestSuite([{ path: "tests/a.yaml", text: `${top}${tests}` }], limited);
}

async function outcomesOf(tests: string, top = head) {
  const suite = suiteOf(tests, top);
  if (!suite.ok) throw new Error(suite.problems.map(renderProblem).join("\n"));
  return runTests(limited, suite.documents);
}

/** `about: expected → got` of each failure; empty: the tests passed. */
async function failuresOf(tests: string, top = head): Promise<string[]> {
  const outcomes = await outcomesOf(tests, top);
  return outcomes.flatMap(({ failures }) =>
    failures.map(({ about, expected, got }) => `${about}: ${expected} → ${got}`),
  );
}

function problemsOf(tests: string, top = head): string[] {
  const suite = suiteOf(tests, top);
  return suite.ok ? [] : suite.problems.map(renderProblem);
}

describe("the unit tests of a policy", () => {
  it("pass when each call is decided as expected, by the expected rule, for the expected reason", async () => {
    const tests = `  - { tools: [get_issue, list_issues], expect: allow, rule: reader#1 }
  - { tools: [add_comment], ${own}, expect: allow, reason: granted }
  - { tools: [add_comment], args: { owner: x, repo: y }, expect: deny, reason: condition_false, rule: commenter#1 }
  - { tools: [close], expect: deny, reason: no_grant }
  - { tools: [add_comment], ${own}, after: [{ tool: add_comment, ${own}, times: 2 }], expect: deny, reason: limit_reached }
`;
    expect(await failuresOf(tests)).toEqual([]);
  });

  it("do not pass on a misspelled argument, which makes a condition deny everything", async () => {
    const misspelled = "tools: [add_comment], args: { onwer: other, repo: payments }, expect: deny";
    expect(await failuresOf(`  - { ${misspelled} }\n`)).toEqual([
      "tool add_comment of github: deny; where its condition is not to be evaluated, say reason: condition_error → deny (condition_error) by commenter#1",
    ]);
    expect(await failuresOf(`  - { ${misspelled}, reason: condition_error }\n`)).toEqual([]);
  });

  it.each([
    [
      "the decision",
      `{ tools: [get_issue, close], expect: deny }`,
      "tool get_issue of github: deny → allow (granted) by reader#1",
    ],
    [
      "the reason",
      `{ tools: [close], expect: deny, reason: flow }`,
      "tool close of github: deny (flow) → deny (no_grant)",
    ],
    [
      "the rule",
      `{ tools: [get_issue], expect: allow, rule: browser#1 }`,
      "tool get_issue of github: allow by browser#1 → allow (granted) by reader#1",
    ],
    [
      "an earlier call",
      `{ tools: [get_issue], after: [{ tool: add_comment, ${own}, times: 3 }], expect: allow }`,
      "tool add_comment of github, called before (time 3): allow → deny (limit_reached) by commenter#1",
    ],
    [
      "the roles of a run",
      "{ binds: [reader] }",
      "the run: roles reader → binding 1: roles commenter, reader",
    ],
    [
      "a run that should be refused",
      "{ refused: no_binding }",
      "the run: no_binding → binding 1: roles commenter, reader",
    ],
    [
      "a kind of refusal",
      "{ refused: owner_mismatch, run: { ref: refs/heads/dev } }",
      /^the run: owner_mismatch → refused: no_binding: acme\/payments\/triager: binding 1: ref is "refs\/heads\/dev"/,
    ],
    [
      "a run without a binding, although a denial was expected",
      "{ tools: [close], expect: deny, run: { ref: refs/heads/dev } }",
      /^the run: a binding → refused: no_binding/,
    ],
    [
      "claims that cannot be",
      `{ tools: [close], expect: deny, claims: { run_id: x } }`,
      /^the run: a claim run_id that can be → expected a decimal id/,
    ],
  ])("fail on %s, and say what was expected and what came", async (_, test, failure) => {
    expect(await failuresOf(`  - ${test}\n`)).toEqual([
      typeof failure === "string" ? failure : expect.stringMatching(failure),
    ]);
  });

  it("take the run from the binding, and what they say of it from themselves", async () => {
    const tests = `  - { binds: [reader, commenter] }
  - { binding: 2, binds: [reader] }
  - { run: { event: push }, refused: no_binding }
  - { run: { workflow: .github/workflows/review.yml, event: pull_request, ref: refs/pull/7/merge, base_ref: main }, binds: [reader] }
  - { claims: { repository_id: "1" }, refused: repository_unknown }
  - { claims: { repository_owner_id: "1" }, refused: owner_mismatch }
`;
    expect(await failuresOf(tests)).toEqual([]);
  });

  it("can be about roles alone, and about what a file says of all its tests", async () => {
    const tests =
      "  - { tools: [get_anything], expect: allow }\n  - { roles: [reader], tools: [get_anything], expect: deny }\n";
    expect(await failuresOf(tests, "roles: [browser]\nserver: github\ntests:\n")).toEqual([]);
  });

  it("keep the explanation of a failure, and the place of the test", async () => {
    const [outcome] = await outcomesOf(
      "  - { name: closes, tools: [add_comment], args: {}, expect: allow }\n",
    );
    expect(outcome).toMatchObject({ file: "tests/a.yaml", line: 4, column: 5, name: "closes" });
    expect(outcome?.failures[0]?.explanation?.considered[0]).toMatchObject({
      rule: "commenter#1",
      says: "condition_error",
    });
  });

  it("leave open which rules they are not about; an earlier call is no test of its rule", async () => {
    const outcomes = await outcomesOf(
      `  - { tools: [close], after: [{ tool: get_issue }], expect: deny }\n  - { tools: [add_comment], expect: deny }\n`,
    );
    expect(listUntestedRules(limited, outcomes)).toEqual(["reader#1", "browser#1"]);
  });
});

describe("a document of tests", () => {
  it.each([
    [
      "{ tools: [a], expekt: deny }",
      'tests/a.yaml:4:19 tests[0].expekt: unknown key "expekt": did you mean "expect"?',
    ],
    [
      "{ tools: [a] }",
      'tests/a.yaml:4:5 tests[0]: "expect" is missing: say what you expect of the calls, allow or deny',
    ],
    [
      "{ name: x }",
      "tests/a.yaml:4:5 tests[0]: this asks nothing: name tools, resources, prompts or asks and what you expect, or say binds or refused",
    ],
    [
      "{ binds: [], refused: no_binding }",
      "tests/a.yaml:4:18 tests[0].refused: a run gets roles or is refused: remove one of them",
    ],
    [
      "{ tools: [a], expect: deny, refused: no_binding }",
      "tests/a.yaml:4:33 tests[0].refused: a run that is refused calls nothing: make two tests of it",
    ],
    [
      "{ binds: [], args: {} }",
      "tests/a.yaml:4:18 tests[0].args: no call is made here: name tools, resources, prompts or asks, or remove args",
    ],
    [
      "{ tools: [a], expect: deny, rule: reader#7 }",
      'tests/a.yaml:4:39 tests[0].rule: there is no rule reader#7: did you mean "reader#1"?',
    ],
    [
      "{ tools: [a], expect: deny, server: gitub }",
      'tests/a.yaml:4:41 tests[0].server: there is no server "gitub": did you mean "github"?',
    ],
    [
      "{ tools: [a], expect: deny, robot: triagr }",
      'tests/a.yaml:4:40 tests[0].robot: there is no robot "triagr": there is acme/payments/triager',
    ],
    [
      "{ tools: [a], expect: deny, roles: [readr] }",
      'tests/a.yaml:4:40 tests[0].roles: there is no role "readr": did you mean "reader"?',
    ],
    [
      "{ roles: [reader], binds: [] }",
      "tests/a.yaml:4:24 tests[0].binds: roles by themselves are not bound: binds needs a robot",
    ],
    [
      "{ tools: [a], expect: deny, binding: 3 }",
      "tests/a.yaml:4:42 tests[0].binding: acme/payments/triager has 2 bindings",
    ],
    [
      "{ tools: [a], expect: deny, after: [{ tool: a, prompt: b }] }",
      "tests/a.yaml:4:41 tests[0].after[0]: an earlier call is one tool, one resource, one prompt or one ask",
    ],
  ])("with %s does not load", (test, problem) => {
    expect(problemsOf(`  - ${test}\n`)).toEqual([problem]);
  });

  it("says whose session and which server it is about", () => {
    expect(problemsOf("  - { tools: [a], expect: deny }\n", "tests:\n")).toEqual([
      "tests/a.yaml:2:5 tests[0]: which server? Say server, here or for the whole file",
      "tests/a.yaml:2:5 tests[0]: whose session is it? Say robot or roles, here or for the whole file",
    ]);
    expect(problemsOf("  - { tools: [a], expect: deny }\n", `roles: [reader]\n${head}`)).toEqual([
      "tests/a.yaml:1:8 roles: roles stand in place of a robot: remove one of them",
    ]);
  });
});
