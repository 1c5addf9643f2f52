import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { policyReplayCommand } from "../../../../broker/cli/policy/replay.ts";
import { type RecordedTerminal, recordTerminal } from "../recorded-terminal.ts";
import { observed, refused, robots, storeDirectory, storeRun } from "./recorded-runs.ts";

let root = "";
let bucket = "";
let directory = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lanyard-replay-"));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  bucket = await mkdtemp(join(root, "bucket-"));
  directory = await mkdtemp(join(root, "policies-"));
});

/** The robot under these grants, enforced. */
async function draft(grants: string): Promise<void> {
  await storeDirectory(directory, {
    "roles.yaml": `roles:\n  triager:\n    grants:\n${grants.replace(/^(?=.)/gm, "      ")}`,
    "robots/acme/payments.yaml": robots.replace("roles: []\n        mode: observe\n", "roles: [triager]\n"),
  });
}

async function replay(...args: string[]): Promise<RecordedTerminal> {
  const terminal = recordTerminal();
  const command = policyReplayCommand({ policies: directory }, terminal);
  await command.parseAsync([bucket, ...args], { from: "user" });
  return terminal;
}

describe("lanyard policy replay", () => {
  test("tells each call that would be denied, with its run, and how many of how many", async () => {
    await draft("- server: github\n  tools: [get_issue]\n");
    await storeRun(bucket, "s-1", [
      observed("get_issue", {}),
      observed("list_issues", {}),
      observed("list_issues", {}),
    ]);
    const { out, code } = await replay();
    expect(out).toBe(
      "acme/payments/triager, acme/payments run 123456 attempt 1 (s-1)\n" +
        "  would deny   tool list_issues of github: no grant (2 times)\n\n" +
        "would deny 2 and allow 0 more of 3 calls in 1 session\n",
    );
    expect(code).toBe(1);
  });

  test("resources and prompts are decided by what they are, subscriptions and completions included", async () => {
    await draft('- server: github\n  resources: ["repo://a/*"]\n  prompts: [greet]\n');
    const { tool: _, ...call } = observed("", {});
    await storeRun(bucket, "s-1", [
      { ...call, method: "resources/read", resource: "repo://a/b" },
      { ...call, method: "resources/subscribe", resource: "repo://a/b" },
      { ...call, method: "resources/unsubscribe", resource: "repo://c/d" },
      { ...call, method: "completion/complete", resource: "repo://a/{path}" },
      { ...call, method: "subscriptions/listen", resource: "repo://c/d" },
      { ...call, method: "prompts/get", prompt: "greet" },
      { ...call, method: "completion/complete", prompt: "leave" },
    ]);
    const { out } = await replay();
    expect(out).toContain("would deny   resource repo://c/d of github: no grant\n");
    expect(out).toContain("would deny   prompt leave of github: no grant\n");
    expect(out).toContain("would deny 2 and allow 0 more of 6 calls in 1 session\n");
  });

  test("ends well when every call would be decided as it was", async () => {
    await draft("- server: github\n  tools: [get_issue]\n");
    await storeRun(bucket, "s-1", [observed("get_issue", {}), refused("delete_repository", {})]);
    const { out, code } = await replay();
    expect([out, code]).toEqual(["would deny 0 and allow 0 more of 2 calls in 1 session\n", 0]);
  });

  test("tells what a draft would newly allow", async () => {
    await draft('- server: github\n  tools: ["*"]\n');
    await storeRun(bucket, "s-1", [refused("delete_repository", {})]);
    const { out, code } = await replay();
    expect(out).toContain(
      "would allow  tool delete_repository of github: granted by triager#1 (it was denied: no_grant)",
    );
    expect(code).toBe(1);
  });

  test("limits are counted along the session", async () => {
    await draft("- server: github\n  tools: [get_issue]\n  limit: { calls: 2 }\n");
    await storeRun(
      bucket,
      "s-1",
      [1, 2, 3].map((issue_number) => observed("get_issue", { issue_number })),
    );
    const { out } = await replay();
    expect(out).toContain("would deny   tool get_issue of github: limit reached by triager#1\n");
    expect(out).toContain("would deny 1 and allow 0 more of 3 calls");
  });

  test("a condition on arguments that are not in the log as they were is not guessed", async () => {
    await draft('- server: github\n  tools: [get_issue]\n  when: args.owner == "acme"\n');
    await storeRun(bucket, "s-1", [
      observed("get_issue", { owner: "[redacted:token:github]" }),
      observed("get_issue", { owner: "acme" }),
      observed("get_issue", { owner: "evil" }),
      observed("list_issues", { owner: "[withheld]" }),
    ]);
    const { out } = await replay();
    expect(out).toContain("undecidable  tool get_issue of github: its arguments are not in the log");
    expect(out).toContain(
      'would deny   tool get_issue of github: condition false by triager#1 (args.owner == "acme")',
    );
    expect(out).toContain("would deny   tool list_issues of github: no grant");
    expect(out).toContain("would deny 2 and allow 0 more of 4 calls in 1 session, 1 cannot be told\n");
  });

  test("a run that would match no binding would have had no session at all", async () => {
    await draft("- server: github\n  tools: [get_issue]\n");
    await storeDirectory(directory, {
      "robots/acme/payments.yaml": robots
        .replace("roles: []\n        mode: observe\n", "roles: [reader]\n")
        .replace("refs/heads/main", "refs/heads/release"),
    });
    await storeRun(bucket, "s-1", [observed("get_issue", {})]);
    const { out, code } = await replay();
    expect(out).toContain("would get no session: no_binding");
    expect(out).toContain("would deny   tool get_issue of github: no session\n");
    expect(code).toBe(1);
  });

  test("a session that lies there twice is counted once", async () => {
    await draft("- server: github\n  tools: [get_issue]\n");
    const folder = await storeRun(bucket, "s-1", [observed("list_issues", {})]);
    await cp(folder, join(bucket, "copy"), { recursive: true });
    const { out, err } = await replay();
    expect(out).toContain("would deny 1 and allow 0 more of 1 call in 1 session\n");
    expect(err).toContain(`left out: ${join(bucket, "copy")}: it is of the session that was read from `);
  });

  test("a log whose claims no run has is left out; the others are replayed", async () => {
    await draft("- server: github\n  tools: [get_issue]\n");
    await storeRun(bucket, "s-1", [observed("get_issue", {})]);
    await storeRun(bucket, "s-2", [observed("get_issue", {})], { claims: { repository: 1 } });
    const { out, err } = await replay();
    expect(out).toContain("would deny 0 and allow 0 more of 1 call in 1 session\n");
    expect(err).toContain("its claims are not those of a run");
  });

  test("a log with a pipe, a link without an end and a folder in place of segments is left out", async () => {
    await draft("- server: github\n  tools: [get_issue]\n");
    const [pipe, loop, nested] = await Promise.all(
      ["s-1", "s-2", "s-3"].map((session) => storeRun(bucket, session, [observed("get_issue", {})])),
    );
    const segment = "runner/000001.jsonl.zst";
    for (const folder of [pipe, loop, nested]) await rm(join(folder ?? "", segment));
    await promisify(execFile)("mkfifo", [join(pipe ?? "", segment)]);
    await symlink("/dev/zero", join(loop ?? "", segment));
    await mkdir(join(nested ?? "", segment));
    await storeRun(bucket, "s-4", [observed("get_issue", {})]);
    const { out, err } = await replay();
    expect(out).toContain("of 1 call in 1 session\n");
    for (const folder of [pipe, loop, nested]) expect(err).toContain(`left out: ${folder}: `);
  });

  test("where every log is left out, it says why", async () => {
    await draft("- server: github\n  tools: [get_issue]\n");
    const folder = await storeRun(bucket, "s-1", [observed("get_issue", {})]);
    await writeFile(join(folder, "runner/000001.jsonl.zst"), "nonsense");
    const { code, err } = await replay();
    expect(code).toBe(2);
    expect(err).toContain(`there is no session to replay; left out: 1, the first ${folder}: `);
    expect((await replay("--robot", "acme/x/y")).err).toContain("there is no session of acme/x/y to replay");
  });

  test("answers in JSON, with every change", async () => {
    await draft("- server: github\n  tools: [get_issue]\n");
    await storeRun(bucket, "s-1", [observed("list_issues", {})]);
    expect(JSON.parse((await replay("--json")).out)).toMatchObject({
      ok: false,
      calls: 1,
      would_deny: 1,
      sessions: [
        {
          session: "s-1",
          changes: [
            { change: "would_deny", name: "list_issues", was: { decision: "allow", reason: "observed" } },
          ],
        },
      ],
    });
  });

  test("a folder without logs, or a draft that does not load, is told and ends with 2", async () => {
    await storeDirectory(directory, { "roles.yaml": "roles: []\n" });
    await storeRun(bucket, "s-1", [observed("list_issues", {})]);
    const { code, err } = await replay();
    expect([code, err]).toEqual([2, expect.stringContaining("the policies do not load")]);
    await storeDirectory(directory);
    const terminal = recordTerminal();
    await policyReplayCommand({ policies: directory }, terminal).parseAsync([directory], { from: "user" });
    expect([terminal.code, terminal.err]).toEqual([2, `${directory} holds no audit log\n`]);
  });
});
