import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { policySuggestCommand } from "../../../../broker/cli/policy/suggest.ts";
import { loadPolicies } from "../../../../policies/loading.ts";
import { brokerKeys } from "../../../audit/stored-session.ts";
import { type RecordedTerminal, recordTerminal } from "../recorded-terminal.ts";
import { observed, refused, robots, roles, storeDirectory, storeRun } from "./recorded-runs.ts";

let root = "";
let bucket = "";
let directory = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lanyard-suggest-"));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  bucket = await mkdtemp(join(root, "bucket-"));
  directory = await mkdtemp(join(root, "policies-"));
  await storeDirectory(directory);
});

async function suggest(...args: string[]): Promise<RecordedTerminal> {
  const terminal = recordTerminal();
  const command = policySuggestCommand({ policies: directory }, terminal);
  await command.parseAsync([bucket, ...args], { from: "user" });
  return terminal;
}

const issue = { owner: "acme", repo: "payments", issue_number: 7 };

describe("lanyard policy suggest", () => {
  test("suggests exact names, with conditions where an argument is a fact of the run or never varied", async () => {
    await storeRun(bucket, "s-1", [
      observed("get_issue", issue),
      observed("get_issue", { ...issue, issue_number: 8 }),
      observed("list_issues", { owner: "acme", repo: "payments", state: "open" }),
    ]);
    await storeRun(bucket, "s-2", [
      observed("list_issues", { owner: "acme", repo: "payments", state: "open" }),
      observed("list_issues", { owner: "acme", repo: "payments", state: "open" }),
    ]);
    const { out, code } = await suggest();
    expect(out).toBe(`roles:
  # What acme/payments/triager did in 2 sessions, and no more.
  triager:
    grants:
      - server: github
        tools: [get_issue]
        when: args.owner == run.repository_owner && args.repo == run.repository_name
      - server: github
        tools: [list_issues]
        when: args.owner == run.repository_owner && args.repo == run.repository_name && args.state == "open"
`);
    expect(code).toBe(0);
  });

  test("takes an argument for constant from the number of calls on that is asked for", async () => {
    await storeRun(bucket, "s-1", [
      observed("get_issue", { state: "open" }),
      observed("get_issue", { state: "open" }),
    ]);
    expect((await suggest()).out).not.toContain("when:");
    expect((await suggest("--min-calls", "2")).out).toContain('when: args.state == "open"');
  });

  test("what was refused is listed and not granted, unless somebody says so", async () => {
    await storeRun(bucket, "s-1", [
      observed("get_issue", issue),
      refused("delete_repository", { name: "payments" }),
    ]);
    const careful = await suggest();
    expect(careful.out).toContain("# Asked for and refused: delete_repository of github.");
    expect(careful.out).not.toMatch(/tools: .*delete_repository/);
    expect((await suggest("--include-refused")).out).toContain("tools: [delete_repository]");
  });

  test("a name that an agent made up cannot begin a line of the document or hide in it", async () => {
    const name = "x\nroles: {}\u202e#";
    await storeRun(bucket, "s-1", [observed("get_issue", issue), refused(name, {})]);
    const { out } = await suggest();
    expect(out).toContain("# Asked for and refused: x·roles: {}·# of github.");
  });

  test("arguments that are not in the log, or not as they were, become no condition", async () => {
    const digestOnly = observed("get_issue", undefined);
    await storeRun(bucket, "s-1", [
      Object.fromEntries(
        Object.entries(digestOnly).filter(([key]) => key !== "arguments"),
      ) as typeof digestOnly,
      observed("list_issues", { owner: "[redacted:token:github]" }),
      observed("list_issues", { owner: "[withheld]" }),
    ]);
    const { out } = await suggest("--min-calls", "1");
    expect(out).toContain("tools: [get_issue, list_issues]");
    expect(out).not.toContain("when:");
  });

  test("a secret that an agent put into one argument takes the condition from that argument alone", async () => {
    await storeRun(bucket, "s-1", [
      observed("get_issue", { owner: "acme", state: "open", title: "a" }),
      observed("get_issue", { owner: "acme", state: "open", title: "[redacted:token:github]" }),
      observed("get_issue", { owner: "acme", state: "[redacted:token:github]", title: "b" }),
    ]);
    const { out } = await suggest();
    expect(out).toContain("when: args.owner == run.repository_owner\n");
    expect(out).toContain("# Not all arguments of these calls are in the logs");
  });

  test.each([
    ["tool", "tools/call", "get_*", { "[redacted:x:y]": 1 }],
    ["tool", "tools/call", "*", {}],
    ["resource", "resources/read", "file:///*", undefined],
    ["resource", "resources/read", "repo://{run.repository}/secrets", undefined],
    ["prompt", "prompts/get", "review*", {}],
  ])(
    "a %s that an agent names like a pattern (%s %s) never becomes one",
    async (kind, method, tool, args) => {
      const { tool: _, ...anything } = observed(tool, args, { method });
      const call = { ...anything, [kind]: tool };
      await storeRun(bucket, "s-1", [observed("get_issue", issue), call, { ...call, decision: "deny" }]);
      for (const options of [[], ["--include-refused"]]) {
        const { out } = await suggest("--json", ...options);
        const { grants, refused: told } = JSON.parse(out);
        expect(grants.flatMap(({ names }: { names: string[] }) => names)).toEqual(["get_issue"]);
        expect(told).toMatchObject([{ name: tool, calls: 2 }]);
      }
      expect((await suggest("--write")).code).toBe(0);
    },
  );

  test("what is invisible in an argument is an escape in its condition, and means the same", async () => {
    const hidden = "a\u200b\u202e\u{e0041}\u009b";
    const calls = Array.from({ length: 3 }, () => observed("get_issue", { state: hidden, ["\u2066"]: "x" }));
    await storeRun(bucket, "s-1", calls);
    const { out, code } = await suggest("--write");
    expect(out).toContain(String.raw`args.state == "a\u200b\u202e\U000e0041\u009b"`);
    expect(out).toContain(String.raw`args["\u2066"] == "x"`);
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(code).toBe(0);
  });

  test("tests that somebody wrote under the role's name are not overwritten", async () => {
    await storeDirectory(directory, { "tests/triager.yaml": "mine\n" });
    await storeRun(bucket, "s-1", [observed("get_issue", issue)]);
    const { code, err } = await suggest("--write");
    expect([code, err]).toEqual([2, "tests/triager.yaml exists already: choose another name with --role\n"]);
    expect(await readFile(join(directory, "tests/triager.yaml"), "utf8")).toBe("mine\n");
    expect(await readFile(join(directory, "roles.yaml"), "utf8")).toBe(roles);
  });

  test("where the documents would deny what was done all the same, it says why and writes nothing", async () => {
    await storeDirectory(directory, { "lanyard.lock": "version: 1\nservers: { github: { tools: {} } }\n" });
    await storeRun(bucket, "s-1", [observed("get_issue", issue)]);
    const { code, err } = await suggest("--write");
    expect([code, err]).toEqual([
      2,
      "nothing is written: with it, tool get_issue of session s-1 would be denied (unreviewed)\n",
    ]);
    expect(await readFile(join(directory, "roles.yaml"), "utf8")).toBe(roles);
  });

  test("--write adds the role, its tests and the binding; what stood there stays, and it loads", async () => {
    await storeRun(bucket, "s-1", [observed("get_issue", issue), refused("delete_repository", {})]);
    const { code, err } = await suggest("--write");
    expect(err).toContain(`written: ${join(directory, "tests/triager.yaml")}`);
    expect(code).toBe(0);
    const written = await readFile(join(directory, "roles.yaml"), "utf8");
    expect(written.startsWith(roles)).toBe(true);
    expect(await readFile(join(directory, "robots/acme/payments.yaml"), "utf8")).toBe(
      robots.replace("roles: []\n        mode: observe\n", "roles: [triager]\n"),
    );
    expect(await readFile(join(directory, "tests/triager.yaml"), "utf8")).toContain("delete_repository");
    const loaded = await loadPolicies(directory);
    expect(loaded.ok && loaded.policies.roles.has("triager")).toBe(true);
  });

  test("--keep-observing leaves the binding observing, with the role", async () => {
    await storeRun(bucket, "s-1", [observed("get_issue", issue)]);
    await suggest("--write", "--keep-observing");
    const text = await readFile(join(directory, "robots/acme/payments.yaml"), "utf8");
    expect(text).toBe(robots.replace("roles: []", "roles: [triager]"));
  });

  test("a role that exists is not overwritten, and nothing else is written either", async () => {
    await storeRun(bucket, "s-1", [observed("get_issue", issue)]);
    const { code, err } = await suggest("--write", "--role", "reader");
    expect(code).toBe(2);
    expect(err).toContain('roles.yaml has a role "reader" already: choose another name with --role');
    expect(await readFile(join(directory, "roles.yaml"), "utf8")).toBe(roles);
    expect(await readFile(join(directory, "robots/acme/payments.yaml"), "utf8")).toBe(robots);
  });

  test("sessions that were not observed teach nothing unless --all says so", async () => {
    await storeRun(bucket, "s-1", [observed("get_issue", issue)], { mode: "enforce" });
    const { code, err } = await suggest();
    expect([code, err]).toEqual([
      2,
      "none of these sessions was observed: give --all to take the others as well\n",
    ]);
    expect((await suggest("--all")).code).toBe(0);
  });

  test("a log that somebody changed is left out; with keys, so is one that the broker did not sign", async () => {
    const folder = await storeRun(bucket, "s-1", [observed("get_issue", issue)]);
    await storeRun(bucket, "s-2", [observed("list_issues", issue)]);
    await writeFile(join(folder, "runner", "000001.jsonl.zst"), "nonsense");
    const { out, err } = await suggest();
    expect(out).toContain("tools: [list_issues]");
    expect(err).toContain(`left out: ${folder}: `);
    expect(err).toContain("The signatures of the logs were not looked at");
    const keys = join(bucket, "keys.json");
    await writeFile(keys, JSON.stringify(brokerKeys));
    expect((await suggest("--keys", keys)).err).not.toContain(
      "The signatures of the logs were not looked at",
    );
  });

  test("answers in JSON", async () => {
    await storeRun(bucket, "s-1", [observed("get_issue", issue), refused("delete_repository", {})]);
    expect(JSON.parse((await suggest("--json")).out)).toMatchObject({
      ok: true,
      robot: "acme/payments/triager",
      role: "triager",
      grants: [{ server: "github", kind: "tool", names: ["get_issue"], calls: 1, sessions: 1 }],
      refused: [{ server: "github", name: "delete_repository", calls: 1, reasons: ["no_grant"] }],
      written: [],
      verified: false,
      left_out: [],
    });
  });
});
