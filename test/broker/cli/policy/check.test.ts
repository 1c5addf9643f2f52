import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPolicyDirectory, type PolicyDirectory, runPolicy } from "./policy-directory.ts";

let directory: PolicyDirectory;
beforeEach(async () => {
  directory = await createPolicyDirectory();
});
afterEach(() => directory.remove());

const check = (...args: string[]) => runPolicy(["check", directory.path, ...args]);

describe("lanyard policy check", () => {
  it("says what there is where nothing is wrong, and ends with 0; what nobody gets is a note", async () => {
    expect(await check("--strict")).toMatchObject({
      code: 0,
      out: `${directory.path}: 2 servers, 3 roles, 1 robot: no problems\n`,
      err: [
        `${directory.path}/roles.yaml:12:3: note: roles.browser: no binding gives this role: bind it, or remove it`,
        "  12 |   browser:",
        "     |   ^",
        `${directory.path}/servers.yaml:8:3: note: servers.memory: no role grants anything of this server: grant something of it, or remove it`,
        "  8 |   memory:",
        "    |   ^",
        "",
      ].join("\n"),
    });
  });

  it("checks the default directory where none is named", async () => {
    expect((await runPolicy(["check"], directory.path)).out).toContain(`${directory.path}: 2 servers`);
  });

  it("shows each problem with its line and a mark, and ends with 1", async () => {
    await directory.change("roles.yaml", "args.owner ==", "arg.owner ==");
    await directory.change("servers.yaml", "    url:", "    urll:");
    const { code, out, err } = await check();
    expect([code, out]).toEqual([1, ""]);
    expect(err).toBe(
      [
        `${directory.path}/roles.yaml:11:15: error: roles.commenter.grants[0].when: unknown variable "arg": did you mean "args"?`,
        `  11 |         when: arg.owner == run.repository_owner && args.repo == run.repository_name`,
        `     |               ^`,
        `${directory.path}/servers.yaml:3:5: error: servers.github.urll: unknown key "urll": did you mean "url"?`,
        `  3 |     urll: https://mcp.example.com/mcp`,
        `    |     ^`,
        `${directory.path}: 2 problems`,
        "",
      ].join("\n"),
    );
  });

  it("prints one JSON object where that is asked for", async () => {
    const { unused, ...rest } = JSON.parse((await check("--json")).out);
    expect(unused.map(({ key }: { key: string }) => key)).toEqual(["roles.browser", "servers.memory"]);
    expect(rest).toEqual({
      ok: true,
      directory: directory.path,
      servers: 2,
      credentials: 0,
      roles: 3,
      robots: 1,
      problems: [],
      warnings: [],
    });
    await directory.change("roles.yaml", "grants:", "grant:");
    const { code, out, err } = await check("--json");
    expect([code, err]).toEqual([1, ""]);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ ok: false, directory: directory.path, warnings: [] });
    expect(report.problems.map(({ file, key }: { file: string; key: string }) => [file, key])).toEqual([
      ["roles.yaml", "roles.reader.grants"],
      ["roles.yaml", "roles.reader.grant"],
    ]);
  });

  it("lists warnings with what to change, and ends with 1 for them where they are to count", async () => {
    const pinned = "job_workflow_ref: acme/ci/.github/workflows/a.yml@refs/tags/v1";
    await directory.change("robots/acme/payments.yaml", "environment: agents", pinned);
    const message = "whoever can move this branch or tag decides what runs as the robot: name a commit";
    const lenient = await check();
    expect(lenient.code).toBe(0);
    expect(lenient.err).toContain(`warning: robots.triager.bindings[0].job_workflow_ref: ${message}`);
    expect(lenient.out).toContain("no problems, 1 warning\n");
    expect((await check("--strict")).code).toBe(1);
    expect(JSON.parse((await check("--strict", "--json")).out)).toMatchObject({
      ok: false,
      problems: [],
      warnings: [{ message }],
    });
  });

  it("ends with 2 where there is no such directory", async () => {
    const nowhere = join(directory.path, "nowhere");
    const { code, err } = await runPolicy(["check", nowhere]);
    expect(code).toBe(2);
    expect(err).toContain(`there is no directory ${nowhere}`);
  });

  it("never lets a document write to the terminal: escape sequences become dots", async () => {
    await directory.change("roles.yaml", "roles:", 'roles: "\u001b[2J\u001b]0;title\u0007"');
    const { err } = await check();
    expect(err).toContain("·[2J·]0;title·");
    expect(err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });

  it("shows the part of a long line that a problem is about", async () => {
    await directory.change("roles.yaml", "args.owner ==", `${"args.a + ".repeat(60)}arg.owner ==`);
    const { err } = await check();
    const [, line = "", mark = ""] = err.split("\n");
    expect(line.length).toBeLessThan(140);
    expect(line.slice(mark.indexOf("^"))).toMatch(/^arg\.owner/);
  });
});
