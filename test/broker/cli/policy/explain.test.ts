import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimsOf } from "../../../policies/fixtures.ts";
import { createPolicyDirectory, type PolicyDirectory, runPolicy } from "./policy-directory.ts";

let directory: PolicyDirectory;
beforeEach(async () => {
  directory = await createPolicyDirectory();
});
afterEach(() => directory.remove());

const explain = (...args: string[]) => runPolicy(["explain", directory.path, ...args]);
const comment = ["--robot", "triager", "--server", "github", "--tool", "add_comment"];
const own = '{"owner":"acme","repo":"payments"}';

describe("lanyard policy explain", () => {
  it("lists for each binding what its runs can call, with the rules and their lines", async () => {
    const { code, out, err } = await explain();
    expect([code, err]).toEqual([0, ""]);
    expect(out).toBe(
      `acme/payments/triager, binding 1  ${directory.path}/robots/acme/payments.yaml
  schedule or workflow_dispatch on refs/heads/main, .github/workflows/triage.yml, environment agents
  roles commenter, reader; sessions of 10 minutes, renewed up to 120 minutes
  github
    tools add_comment  commenter#1 (${directory.path}/roles.yaml:8)
      when args.owner == run.repository_owner && args.repo == run.repository_name
      at most 2 calls a session
    tools get_issue, list_issues  reader#1 (${directory.path}/roles.yaml:4)

acme/payments/triager, binding 2  ${directory.path}/robots/acme/payments.yaml
  pull_request into main, .github/workflows/review.yml
  roles reader; sessions of 10 minutes, renewed up to 120 minutes
  github
    tools get_issue, list_issues  reader#1 (${directory.path}/roles.yaml:4)
`,
    );
  });

  it("answers who can call one thing, also when nobody can", async () => {
    const { out } = await explain("--tool", "add_comment");
    expect(out).toContain("binding 1");
    expect(out).not.toContain("binding 2");
    expect((await explain("--tool", "close", "--server", "github")).out).toBe(
      "Nobody can call close of github.\n",
    );
  });

  it("shows why a call is denied: the rule, its line and text, the condition and what it looked at", async () => {
    const { code, out } = await explain(...comment, "--args", '{"owner":"other","repo":"payments"}');
    expect(code).toBe(1);
    const place = `${directory.path}/roles.yaml:8:9`;
    expect(out).toBe(
      `Roles commenter, reader of acme/payments/triager, binding 1: schedule on refs/heads/main, .github/workflows/triage.yml
DENIED  tool add_comment of github: a grant names it, but its condition is false
  decision  deny (condition_false) by commenter#1
  rule      commenter#1  ${place}
    | server: github
    | tools: [add_comment]
    | limit: { calls: 2 }
    | when: args.owner == run.repository_owner && args.repo == run.repository_name
commenter#1: its condition is false  ${place}
  when   args.owner == run.repository_owner && args.repo == run.repository_name  → false
         args.owner = "other"
         run.repository_owner = "acme"
         args.repo = "payments"
         run.repository_name = "payments"
  limit  0 of 2 calls used
What would change it
  - send arguments for which the condition of commenter#1 is true, or change the condition
`,
    );
  });

  it("counts earlier calls, and says which of them do not count", async () => {
    expect((await explain(...comment, "--args", own)).code).toBe(0);
    const used = await explain(...comment, "--args", own, "--after", `2x github add_comment ${own}`);
    expect([used.code, used.out]).toEqual([
      1,
      expect.stringContaining("deny (limit_reached) by commenter#1"),
    ]);
    const denied = await explain(...comment, "--args", own, "--after", "github close");
    expect(denied.out).toContain(
      "Note: before it, tool close of github is denied and not counted: deny (no_grant)",
    );
  });

  it("takes the run from a binding, from options, or from claims, and binds it as the broker would", async () => {
    expect((await explain(...comment, "--binding", "2")).out).toContain("deny (no_grant)");
    const elsewhere = await explain(...comment, "--ref", "refs/heads/dev");
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.out).toContain("the run gets no session");
    expect(elsewhere.out).toContain('binding 1: ref is "refs/heads/dev", expected "refs/heads/main"');
    const file = join(directory.path, "claims.json");
    await writeFile(file, JSON.stringify(claimsOf({ event_name: "workflow_dispatch" })));
    expect((await explain(...comment, "--args", own, "--claims", file)).out).toContain(
      "workflow_dispatch on",
    );
  });

  it("asks roles by themselves, for documents without robots", async () => {
    const { code, out } = await explain("--roles", "browser", "--server", "github", "--tool", "get_x");
    expect([code, out]).toEqual([0, expect.stringContaining("allow (granted) by browser#1")]);
  });

  it("prints one JSON object where that is asked for", async () => {
    const listed = JSON.parse((await explain("--json")).out);
    expect(listed).toMatchObject({
      ok: true,
      access: [{ robot: "acme/payments/triager", number: 1 }, { number: 2 }],
    });
    const call = await explain(...comment, "--json");
    expect(call.code).toBe(1);
    expect(JSON.parse(call.out)).toMatchObject({
      ok: false,
      binding: 1,
      verdict: { reason: "condition_error", rule: "commenter#1" },
      place: { file: "roles.yaml", line: 8, column: 9 },
    });
    expect(JSON.parse((await explain("--robot", "x", "--json")).out)).toMatchObject({ ok: false });
  });

  it.each([
    [["--robot", "triagr"], '--robot: there is no robot "triagr"'],
    [["--server", "gitub"], '--server: there is no server "gitub": did you mean "github"?'],
    [
      ["--tool", "a", "--args", "{}"],
      "--args is about one call: name it with --robot (or --roles), --server and --tool",
    ],
    [[...comment, "--prompt", "p"], "--tool and --prompt: name one of them"],
    [[...comment, "--ask", "roots"], "--tool and --ask: name one of them"],
    [[...comment, "--args", "[]"], "--args: expected one JSON object"],
    [[...comment, "--args", '{"a":1,"a":2}'], "--args: expected one JSON object"],
    [[...comment, "--args", "@/nowhere"], "--args: /nowhere cannot be read"],
    [[...comment, "--after", "github"], '--after: write "SERVER TOOL"'],
    [[...comment, "--binding", "3"], "--binding: triager has 2 bindings"],
    [[...comment, "--binding", "x"], "--binding: write its number"],
    [
      ["--roles", "readr", "--server", "github", "--tool", "a"],
      '--roles: there is no role "readr": did you mean "reader"?',
    ],
  ])("ends with 2 for %j", async (args, message) => {
    const { code, err, out } = await explain(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });

  it("ends with 2 and the problems where the documents do not load", async () => {
    await directory.change("roles.yaml", "grants:", "grant:");
    const { code, err } = await explain();
    expect(code).toBe(2);
    expect(err).toContain(`${directory.path}/roles.yaml:3:5: error: roles.reader.grant: unknown key`);
    expect(err).toContain("the policies do not load");
  });

  it("never lets a document or an argument write to the terminal", async () => {
    await directory.change(
      "roles.yaml",
      "args.owner == run",
      '"\\u001b[2J" != args.owner && args.owner == run',
    );
    const { out } = await explain(
      ...comment,
      "--args",
      '{"owner":"\u202ex","repo":"\u001b[31m"}'.replace("\u001b", "\\u001b"),
    );
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);
  });
});
