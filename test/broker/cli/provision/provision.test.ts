import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { provisionCommand } from "../../../../broker/cli/provision/provision.ts";
import { loadPolicies } from "../../../../policies/loading.ts";
import { recordTerminal } from "../recorded-terminal.ts";

const starter = join(import.meta.dirname, "../../../../policies/starter");
const ids = ["--repository-id", "456789", "--owner-id", "123456"];
const triage = [
  "--workflow",
  ".github/workflows/triage.yml",
  "--event",
  "schedule",
  "--ref",
  "refs/heads/main",
];

describe("lanyard provision", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "policies-"));
    await cp(starter, directory, { recursive: true });
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });
  const run = async (args: string[], answer?: boolean) => {
    const terminal = recordTerminal(answer);
    const command = provisionCommand({ policies: directory }, terminal).exitOverride();
    command.configureOutput({ writeErr: (text) => terminal.writeError(text) });
    await command.parseAsync(args, { from: "user" });
    return terminal;
  };
  const robots = async (): Promise<string[]> => {
    const loaded = await loadPolicies(directory);
    return loaded.ok
      ? [...loaded.policies.repositories.values()].flatMap(({ name, robots }) =>
          [...robots.keys()].map((robot) => `${name}/${robot}`),
        )
      : loaded.problems.map(({ message }) => message);
  };
  /** Without the starter documents' own tests. */
  const files = async () =>
    (await readdir(directory, { recursive: true })).filter((path) => !/^tests\b/.test(path)).sort();

  it("shows the document and writes it", async () => {
    const { code, out, err } = await run([
      "acme/payments",
      "triager",
      ...ids,
      ...triage,
      "--role",
      "reader",
      "demo",
      "--yes",
    ]);
    const text = await readFile(join(directory, "robots/acme/payments.yaml"), "utf8");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toBe(
      `${join(directory, "robots/acme/payments.yaml")}:\n\n${text}\nWritten: acme/payments/triager.\n`,
    );
    expect(await robots()).toEqual(["acme/payments/triager"]);
    expect(await files()).toEqual([
      "robots",
      "robots/acme",
      "robots/acme/payments.yaml",
      "roles.yaml",
      "servers.yaml",
    ]);
  });

  it("adds a robot to the document that exists", async () => {
    await run(["acme/payments", "triager", ...ids, ...triage, "--role", "reader", "--yes"]);
    await run(["acme/payments", "helper", ...ids, ...triage, "--role", "demo", "--yes"]);
    expect(await robots()).toEqual(["acme/payments/triager", "acme/payments/helper"]);
  });

  it("replaces no robot that exists", async () => {
    await run(["acme/payments", "triager", ...ids, ...triage, "--role", "reader", "--yes"]);
    const before = await readFile(join(directory, "robots/acme/payments.yaml"), "utf8");
    const { code, err } = await run([
      "acme/payments",
      "triager",
      ...ids,
      ...triage,
      "--role",
      "demo",
      "--yes",
    ]);
    expect([code, err]).toEqual([
      1,
      "acme/payments/triager exists in robots/acme/payments.yaml: change it there, by hand\n",
    ]);
    expect(await readFile(join(directory, "robots/acme/payments.yaml"), "utf8")).toBe(before);
  });

  it.each([
    ["yes", true, ["acme/payments/triager"], 0],
    ["no", false, [], 0],
    ["nobody there to ask", undefined, [], 2],
  ])("asks before it writes: %s", async (_, answer, written, code) => {
    const terminal = await run(["acme/payments", "triager", ...ids, ...triage, "--role", "reader"], answer);
    expect(terminal.questions).toEqual([`Write ${join(directory, "robots/acme/payments.yaml")}?`]);
    expect(terminal.code).toBe(code);
    expect(await robots()).toEqual(written);
  });

  it("writes nothing in a dry run, and asks nothing", async () => {
    const { code, out, questions } = await run([
      "acme/payments",
      "triager",
      ...ids,
      ...triage,
      "--role",
      "reader",
      "--dry-run",
    ]);
    expect([code, questions]).toEqual([0, []]);
    expect(out).toContain("  triager:\n");
    expect(await robots()).toEqual([]);
  });

  it("binds pull requests by their target, and says what outsiders reach", async () => {
    const review = [
      "--workflow",
      ".github/workflows/review.yml",
      "--event",
      "pull_request",
      "--base-ref",
      "main",
    ];
    const { err } = await run(["acme/payments", "reviewer", ...ids, ...review, "--role", "reader", "--yes"]);
    expect(err).toBe(
      "warning: outsiders can cause pull_request: what they write reaches the agent, and through it its read-only tools\n",
    );
    expect(await readFile(join(directory, "robots/acme/payments.yaml"), "utf8")).toContain(
      "pull_request: {base_ref: main}",
    );
  });

  it("refuses outsiders a role that changes things, until that is accepted in writing", async () => {
    const issue = [
      "--workflow",
      ".github/workflows/triage.yml",
      "--event",
      "issues",
      "--ref",
      "refs/heads/main",
    ];
    const robot = ["acme/payments", "triager", ...ids, ...issue, "--role", "writer", "--yes"];
    const refused = await run(robot);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("writer reaches write_file of filesystem");
    expect(await robots()).toEqual([]);
    const accepted = await run([...robot, "--accept-untrusted"]);
    expect(accepted.code).toBe(0);
    expect(accepted.err).toContain("through it every tool of its roles, as you accept");
    expect(await robots()).toEqual(["acme/payments/triager"]);
  });

  it("writes runner and environment", async () => {
    await run([
      "acme/payments",
      "triager",
      ...ids,
      ...triage,
      "--role",
      "reader",
      "--runner",
      "self-hosted",
      "--environment",
      "agents",
      "--yes",
    ]);
    expect(await readFile(join(directory, "robots/acme/payments.yaml"), "utf8")).toContain(
      "        runner: self-hosted\n        environment: agents\n        roles: [reader]\n",
    );
  });

  it("prints one JSON object where that is asked for", async () => {
    const { out } = await run([
      "acme/payments",
      "triager",
      ...ids,
      ...triage,
      "--role",
      "reader",
      "--json",
      "--yes",
    ]);
    const path = join(directory, "robots/acme/payments.yaml");
    expect(JSON.parse(out)).toEqual({
      ok: true,
      path,
      written: true,
      document: await readFile(path, "utf8"),
      identity: {
        issuer: "https://token.actions.githubusercontent.com",
        repository_id: "456789",
        repository_owner_id: "123456",
        source: "options",
      },
      warnings: [],
    });
    const again = await run([
      "acme/payments",
      "triager",
      ...ids,
      ...triage,
      "--role",
      "reader",
      "--json",
      "--yes",
    ]);
    expect(JSON.parse(again.out)).toMatchObject({ ok: false, code: "robot_exists", problems: [] });
  });

  it.each([
    [
      "a role that does not exist",
      ["--role", "redaer"],
      1,
      'there is no role "redaer" in roles.yaml: did you mean "reader"?',
    ],
    [
      "a workflow elsewhere",
      ["--role", "reader", "--workflow", "triage.yml"],
      2,
      'robots.triager.bindings[0].workflow: "triage.yml": expected the path',
    ],
    [
      "a directory that does not exist",
      ["--role", "reader", "--policies", "/nowhere"],
      2,
      "there is no directory /nowhere: name one with --policies",
    ],
    [
      "an issuer that is none",
      ["--role", "reader", "--issuer", "github"],
      2,
      "issuer: expected a URL that begins with https://",
    ],
  ])("writes nothing for %s", async (_, more, code, message) => {
    const terminal = await run(["acme/payments", "triager", ...ids, ...triage, ...more, "--yes"]);
    expect(terminal.code).toBe(code);
    expect(terminal.err).toContain(message);
    expect(await robots()).toEqual([]);
  });

  it("wants a ref or the target of pull requests", async () => {
    const { code, err } = await run([
      "acme/payments",
      "triager",
      ...ids,
      "--workflow",
      ".github/workflows/x.yml",
      "--event",
      "push",
      "--role",
      "reader",
      "--yes",
    ]);
    expect([code, err]).toEqual([2, "say --ref refs/heads/main, or --base-ref main\n"]);
  });

  it.each(["../../etc/payments", "acme/..", "/etc/passwd", "acme/payments/x", "acme\\payments"])(
    "a repository named %j reaches no other place on the disk",
    async (repository) => {
      const { code, err } = await run([
        repository,
        "triager",
        ...ids,
        ...triage,
        "--role",
        "reader",
        "--yes",
      ]);
      expect(code).toBe(2);
      expect(err).toContain("is no repository: expected OWNER/REPO");
      expect(await files()).toEqual(["roles.yaml", "servers.yaml"]);
    },
  );

  it.each(["../triager", "__proto__", "constructor", "Triager", "a: b"])(
    "a robot named %j is refused",
    async (name) => {
      expect((await run(["acme/payments", name, ...ids, ...triage, "--role", "reader", "--yes"])).code).toBe(
        2,
      );
      expect(await files()).toEqual(["roles.yaml", "servers.yaml"]);
    },
  );

  it("observes a robot without roles at first, and says what comes next", async () => {
    const { code, out, err } = await run([
      "acme/payments",
      "triager",
      ...ids,
      ...triage,
      "--observe",
      "--yes",
    ]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("        roles: []\n        mode: observe\n");
    expect(out).toContain("\n  lanyard policy suggest LOGS --robot acme/payments/triager --write\n");
    expect(await robots()).toEqual(["acme/payments/triager"]);
  });

  it("observes a robot with the roles that it has already", async () => {
    const { out } = await run([
      ...["acme/payments", "triager", ...ids, ...triage],
      ...["--observe", "--role", "reader", "--yes"],
    ]);
    expect(out).toContain("        roles: [reader]\n        mode: observe\n");
  });

  it("says nothing of what comes next where nothing was written", async () => {
    const { out } = await run(["acme/payments", "triager", ...ids, ...triage, "--observe", "--dry-run"]);
    expect(out).toContain("mode: observe");
    expect(out).not.toContain("suggest");
  });

  it.each(["issues", "pull_request_target", "workflow_run"])(
    "observes no runs that outsiders can cause: %s",
    async (event) => {
      const { code, err } = await run([
        ...["acme/payments", "triager", ...ids, "--workflow", ".github/workflows/triage.yml"],
        ...["--event", event, "--ref", "refs/heads/main", "--observe", "--yes"],
      ]);
      expect(code).toBe(1);
      expect(err).toContain("Nothing was written");
      expect(err).toContain(`mode: outsiders can cause ${event}`);
      expect(await robots()).toEqual([]);
    },
  );

  it("warns where no tool is marked read_only, so that nothing could be observed", async () => {
    await writeFile(join(directory, "servers.yaml"), "servers:\n  notes: { command: [notes] }\n");
    await writeFile(
      join(directory, "roles.yaml"),
      "roles:\n  noter: { grants: [{ server: notes, tools: [add] }] }\n",
    );
    const { code, err } = await run(["acme/payments", "triager", ...ids, ...triage, "--observe", "--yes"]);
    expect([code, err]).toEqual([
      0,
      "warning: servers.yaml marks no tool read_only: nothing passes without a role, so there is little to observe\n",
    ]);
  });

  it("wants a role where it is not to be observed", async () => {
    const { code, err } = await run(["acme/payments", "triager", ...ids, ...triage, "--yes"]);
    expect([code, err]).toEqual([
      2,
      "say which roles it gets: --role reader; or --observe, to find out what it needs\n",
    ]);
    expect(await robots()).toEqual([]);
  });

  it("names an option that is missing", async () => {
    await expect(run(["acme/payments", "triager"])).rejects.toThrow("required option '--workflow <path>'");
  });

  it("writes nothing into a directory that has problems already", async () => {
    await rm(join(directory, "roles.yaml"));
    const { code, err } = await run([
      "acme/payments",
      "triager",
      ...ids,
      ...triage,
      "--role",
      "reader",
      "--yes",
    ]);
    expect(code).toBe(1);
    expect(err).toContain("there is no roles.yaml");
    expect(await files()).toEqual(["servers.yaml"]);
  });
});
