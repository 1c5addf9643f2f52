import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXAMPLE_TESTS } from "../../../../broker/cli/policy/test-text.ts";
import { createPolicyDirectory, type PolicyDirectory, runPolicy } from "./policy-directory.ts";

let directory: PolicyDirectory;
beforeEach(async () => {
  directory = await createPolicyDirectory();
});
afterEach(() => directory.remove());

const test = (...args: string[]) => runPolicy(["test", directory.path, ...args]);
const head = "robot: acme/payments/triager\nserver: github\ntests:\n";

describe("lanyard policy test", () => {
  it("says how to write a test where there is none, and that can be run as it stands", async () => {
    const { code, out } = await test();
    expect(code).toBe(0);
    expect(out).toContain(
      `${directory.path} has no tests. Write some in ${directory.path}/tests/triager.yaml`,
    );
    await directory.write("tests/triager.yaml", EXAMPLE_TESTS);
    await directory.change("roles.yaml", "add_comment", "add_issue_comment");
    await directory.change("roles.yaml", "calls: 2", "calls: 20");
    expect(await test()).toMatchObject({
      code: 0,
      out: expect.stringContaining("4 tests: 4 passed, 0 failed\n"),
    });
  });

  it("shows a failure with its place, what was expected, and what each grant said", async () => {
    await directory.write(
      "tests/a.yaml",
      `${head}  - { tools: [get_issue], expect: allow }\n  - name: comments anywhere\n    tools: [add_comment]\n    args: { owner: other }\n    expect: allow\n`,
    );
    const { code, out } = await test();
    expect(code).toBe(1);
    expect(out).toBe(
      `FAILED  comments anywhere
        ${directory.path}/tests/a.yaml:5:5
  tool add_comment of github
    expected  allow
    got       deny (condition_false) by commenter#1
    commenter#1: its condition is false  ${directory.path}/roles.yaml:8:9
      when   args.owner == run.repository_owner && args.repo == run.repository_name  → false
             args.owner = "other"
             run.repository_owner = "acme"
             args.repo = (missing)
             run.repository_name = "payments"
      limit  0 of 2 calls used

1 rule that no test is about:
  browser#1  ${directory.path}/roles.yaml:14
2 tests: 1 passed, 1 failed
`,
    );
  });

  it("ends with 1 where coverage is required and a rule is not tested", async () => {
    await directory.write("tests/a.yaml", `${head}  - { tools: [get_issue], expect: allow }\n`);
    expect((await test()).code).toBe(0);
    const { code, out } = await test("--require-coverage");
    expect(code).toBe(1);
    expect(out).toContain("2 rules that no test is about (--require-coverage):");
    await directory.write(
      "tests/b.yaml",
      `server: github\nroles: [browser, commenter]\ntests:\n  - { tools: [get_x], expect: allow }\n  - { tools: [add_comment], expect: deny, reason: condition_error }\n`,
    );
    expect((await test("--require-coverage")).code).toBe(0);
  });

  it("runs the tests that --filter names, and none is a wrong call", async () => {
    await directory.write(
      "tests/a.yaml",
      `${head}  - { name: one, tools: [x], expect: allow }\n  - { name: two, tools: [x], expect: deny }\n`,
    );
    expect(await test("--filter", "two")).toMatchObject({
      code: 0,
      out: expect.stringContaining("1 test: 1 passed"),
    });
    expect(await test("--filter", "three")).toMatchObject({
      code: 2,
      err: '--filter: no test has "three" in its file or name\n',
    });
  });

  it("prints one JSON object where that is asked for", async () => {
    await directory.write("tests/a.yaml", `${head}  - { name: one, tools: [x], expect: allow }\n`);
    const { code, out } = await test("--json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      passed: 0,
      failed: 1,
      untested: ["reader#1", "commenter#1", "browser#1"],
      tests: [
        {
          file: "tests/a.yaml",
          line: 4,
          name: "one",
          failures: [{ expected: "allow", got: "deny (no_grant)" }],
        },
      ],
    });
  });

  it("runs nothing where one file of tests does not load", async () => {
    await directory.write("tests/a.yaml", `${head}  - { tools: [x], expekt: allow }\n`);
    await directory.write("tests/b.yml", head);
    const { code, out, err } = await test();
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(
      `${directory.path}/tests/a.yaml:4:19: error: tests[0].expekt: unknown key "expekt": did you mean "expect"?`,
    );
    expect(err).toContain("tests/b.yml:1:1: error: this file is not read: rename it to end in .yaml");
    expect(err).toContain("none was run");
  });
});
