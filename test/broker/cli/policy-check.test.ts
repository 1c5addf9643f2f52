import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { policyCheckCommand } from "../../../broker/cli/policy-check.ts";
import { recordTerminal } from "./recorded-terminal.ts";

const starter = join(import.meta.dirname, "../../../policies/starter");

async function run(args: string[], policies = starter) {
  const terminal = recordTerminal();
  await policyCheckCommand({ policies }, terminal).parseAsync(args, { from: "user" });
  return terminal;
}

describe("lanyard policy check", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "policies-"));
    await cp(starter, directory, { recursive: true });
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });
  const change = async (file: string, from: string, to: string): Promise<void> => {
    const text = await readFile(join(directory, file), "utf8");
    await writeFile(join(directory, file), text.replace(from, to));
  };

  it("says what there is where nothing is wrong, and ends with 0", async () => {
    expect(await run([directory])).toMatchObject({
      code: 0,
      out: `${directory}: 2 servers, 3 roles, 0 robots: no problems\n`,
      err: "",
    });
  });

  it("checks the default directory where none is named", async () => {
    expect((await run([])).out).toBe(`${starter}: 2 servers, 3 roles, 0 robots: no problems\n`);
  });

  it("shows each problem with its line and a mark, and ends with 1", async () => {
    await change("roles.yaml", "args.a + args.b", "args.a + arg.b");
    await change("servers.yaml", "    url:", "    urll:");
    const { code, out, err } = await run([directory]);
    const column = 24;
    expect(out).toBe("");
    expect(code).toBe(1);
    expect(err).toBe(
      [
        `${directory}/roles.yaml:30:${column}: error: roles.demo.grants[1].when: unknown variable "arg": did you mean "args"?`,
        `  30 |         when: args.a + arg.b < 100`,
        `     | ${" ".repeat(column - 1)}^`,
        `${directory}/servers.yaml:24:5: error: servers.everything.urll: unknown key "urll": did you mean "url"?`,
        `  24 |     urll: http://127.0.0.1:8486/mcp`,
        `     |     ^`,
        `${directory}: 2 problems`,
        "",
      ].join("\n"),
    );
  });

  it("prints one JSON object where that is asked for", async () => {
    await change("roles.yaml", "grants:", "grant:");
    const { code, out, err } = await run([directory, "--json"]);
    expect([code, err]).toEqual([1, ""]);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ ok: false, directory, warnings: [] });
    expect(report.problems.map(({ file, key }: { file: string; key: string }) => [file, key])).toEqual([
      ["roles.yaml", "roles.reader.grants"],
      ["roles.yaml", "roles.reader.grant"],
    ]);
    expect(JSON.parse((await run(["--json"])).out)).toEqual({
      ok: true,
      directory: starter,
      servers: 2,
      roles: 3,
      robots: 0,
      problems: [],
      warnings: [],
    });
  });

  it("ends with 2 where there is no such directory", async () => {
    const { code, err } = await run([join(directory, "nowhere")]);
    expect(code).toBe(2);
    expect(err).toContain(`there is no directory ${join(directory, "nowhere")}`);
  });

  it("never lets a document write to the terminal: escape sequences become dots", async () => {
    await change("roles.yaml", "roles:", 'roles: "\u001b[2J\u001b]0;title\u0007"');
    const { err } = await run([directory]);
    expect(err).toContain("·[2J·]0;title·");
    expect(err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });

  it("shows the part of a long line that a problem is about", async () => {
    await change("roles.yaml", "args.a + args.b", `${"args.a + ".repeat(60)}arg.b`);
    const { err } = await run([directory]);
    const [, line = "", mark = ""] = err.split("\n");
    expect(line.length).toBeLessThan(140);
    expect(line.slice(mark.indexOf("^"))).toMatch(/^arg\.b/);
  });
});
