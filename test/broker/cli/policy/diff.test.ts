import { execFileSync } from "node:child_process";
import { rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { renderMarkdown } from "../../../../broker/cli/policy/difference-markdown.ts";
import { createPolicyDirectory, type PolicyDirectory, runPolicy } from "./policy-directory.ts";

let before: PolicyDirectory;
let after: PolicyDirectory;
beforeEach(async () => {
  [before, after] = await Promise.all([createPolicyDirectory(), createPolicyDirectory()]);
});
afterEach(() => Promise.all([before.remove(), after.remove()]));

const diff = (...args: string[]) => runPolicy(["diff", before.path, after.path, ...args]);
const condition = "args.owner == run.repository_owner && args.repo == run.repository_name";

describe("lanyard policy diff", () => {
  it("says that nothing changed, and ends with 0", async () => {
    const sentence = "Nothing is gained, nothing is lost: every session can do what it could.";
    expect(await diff()).toMatchObject({ code: 0, out: `${sentence}\n`, err: "" });
    expect((await diff("--format", "markdown")).out).toBe(
      `<!-- lanyard policy diff -->\n**Policy: ${sentence}**\n`,
    );
  });

  it("shows each gain and loss, with who and under which conditions, and ends with 1 for a gain", async () => {
    await after.change("roles.yaml", "calls: 2", "calls: 9");
    await after.change("roles.yaml", ", list_issues", "");
    const { code, out } = await diff();
    expect(code).toBe(1);
    expect(out).toBe(
      `1 gained (1 robot), 1 lost (1 robot)

GAINED  github: tool add_comment
  acme/payments/triager: schedule or workflow_dispatch on refs/heads/main, .github/workflows/triage.yml, environment agents
    before  when ${condition}; 2 calls a session
    after   when ${condition}; 9 calls a session

LOST    github: tool list_issues
  acme/payments/triager: all its runs
    before  always
    after   –
`,
    );
  });

  it("does not pass off documents without robots as unchanged", async () => {
    await Promise.all([before, after].map((side) => rm(join(side.path, "robots"), { recursive: true })));
    expect((await diff()).out).toBe("Neither side has a robot: there is nothing to compare.\n");
  });

  it("ends with 0 where something is lost alone", async () => {
    await after.change("roles.yaml", ", list_issues", "");
    expect(await diff()).toMatchObject({
      code: 0,
      out: expect.stringContaining("0 gained, 1 lost (1 robot)"),
    });
  });

  it("is a table in Markdown, in which no document can write markup, links, mentions or rows", async () => {
    const attack = `args.x == "|<img src=x>\`@org/team\` [a](https://e.example) www.e.example _x_ #1"`;
    await after.change("roles.yaml", condition, `'${attack}'`);
    const { out } = await diff("--format", "markdown");
    const [, , , head, line, row = "", ...rest] = out.split("\n");
    expect([head, line]).toEqual(["| | what | who | before | after |", "|---|---|---|---|---|"]);
    expect(rest).toEqual([""]);
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(6);
    const cell = row.split(" | ")[4]?.replace(/^<code>|<\/code> \|$/g, "") ?? "";
    expect(cell).not.toMatch(/[<>|`@[\]_*~!.:]/);
    expect(cell.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))).toBe(
      `when ${attack}; 2 calls a session`,
    );
  });

  it("shows what turns text around or hides in it, of a name that no document could hold", () => {
    const change = { effect: "gained", subject: "tool", what: "a\u202eb\u200bc\n| d", holders: [] } as const;
    const text = renderMarkdown({ changes: [change], gaining: [], losing: [], hasGains: true, robots: 1 });
    expect(text).toContain("<code>tool a·b·c &#124; d</code>");
  });

  it("stays within what GitHub takes as a comment, gains first", async () => {
    const tools = Array.from(
      { length: 400 },
      (_, index) => `      - { server: github, tools: [tool_${index}], when: args.x == ${index} }\n`,
    );
    await after.change("roles.yaml", "  browser:", `${tools.join("")}  browser:`);
    const { out } = await diff("--format", "markdown");
    expect(out.length).toBeLessThan(65_536);
    expect(out).toMatch(/…and \d+ more: `lanyard policy diff` shows all of them\.\n$/);
    expect(out.split("\n")[1]).toBe("**Policy: 400 gained (1 robot), 0 lost**");
  });

  it("prints one JSON object where that is asked for", async () => {
    await after.change("servers.yaml", "mcp.example.com", "mcp2.example.com");
    const { code, out } = await diff("--json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      ok: false,
      before: before.path,
      after: after.path,
      summary: "1 gained, 0 lost",
      changes: [
        {
          effect: "gained",
          subject: "server",
          server: "github",
          what: "url",
          before: "https://mcp.example.com/mcp",
          after: "https://mcp2.example.com/mcp",
          holders: [],
        },
      ],
      gaining: [],
      losing: [],
      robots: 1,
    });
  });

  it("ends with 2 and the problems of the side that does not load", async () => {
    await after.change("roles.yaml", "grants:", "grant:");
    const { code, out, err } = await diff();
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`${after.path}/roles.yaml:3:5: error: roles.reader.grant: unknown key`);
    expect(err).toContain(`${after.path}: the policies do not load\n`);
  });

  describe("with a git revision", () => {
    const git = (...args: string[]) =>
      execFileSync("git", [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.com",
        "-C",
        before.path,
        ...args,
      ]);
    const commit = () => {
      git("init", "--quiet", "--initial-branch", "main");
      git("add", ".");
      git("commit", "--quiet", "--no-gpg-sign", "--message", "policies");
    };
    const diffRevision = async (revision: string) => {
      const previous = process.env["GIT_DIR"];
      process.env["GIT_DIR"] = join(before.path, ".git");
      try {
        return await runPolicy(["diff", "--", revision, after.path]);
      } finally {
        if (previous === undefined) delete process.env["GIT_DIR"];
        else process.env["GIT_DIR"] = previous;
      }
    };

    it("reads the directory as it was then", async () => {
      commit();
      expect(await diffRevision("main:")).toMatchObject({ code: 0, err: "" });
      await after.change("roles.yaml", "calls: 2", "calls: 3");
      expect(await diffRevision("main:")).toMatchObject({ code: 1 });
    });

    it("follows no symbolic link of a revision", async () => {
      await symlink("/etc/passwd", join(before.path, "robots", "acme", "link.yaml"));
      commit();
      expect(await diffRevision("main:")).toMatchObject({
        code: 2,
        err: expect.stringContaining("robots/acme/link.yaml is a symbolic link"),
      });
    });

    it.each(["robots", "robots/acme"])("does not take %s for empty where it is a link", async (folder) => {
      const robots = join(before.path, folder);
      await rename(robots, join(before.path, "elsewhere"));
      await symlink(join(before.path, "elsewhere"), robots);
      commit();
      expect(await diffRevision("main:")).toMatchObject({
        code: 2,
        err: `main:: ${folder} is a symbolic link: a revision is read without following any\n`,
      });
    });

    it("does not take robots for empty where it is a submodule", async () => {
      await rm(join(before.path, "robots"), { recursive: true });
      commit();
      git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},robots`);
      git("commit", "--quiet", "--no-gpg-sign", "--message", "submodule");
      expect(await diffRevision("main:")).toMatchObject({
        code: 2,
        err: expect.stringContaining("robots is a submodule"),
      });
    });

    it("leaves out no document that would keep the directory from loading, whatever it is called", async () => {
      await before.write("robots/acme/pay ments.yaml", "repository: x\n");
      commit();
      expect(await diffRevision("main:")).toMatchObject({
        code: 2,
        err: expect.stringContaining("robots/acme/pay ments.yaml:1:1: error: "),
      });
    });

    it("names the revision, not a copy of it, in a problem", async () => {
      await before.change("roles.yaml", "grants:", "grant:");
      commit();
      const { code, err } = await diffRevision("main:");
      expect(code).toBe(2);
      expect(err).toContain("roles.yaml:3:5: error: roles.reader.grant: unknown key");
      expect(err).toContain("main:: the policies do not load");
    });

    it("ends with 2 where there is no such revision, and takes none for an option", async () => {
      commit();
      for (const revision of ["nowhere:policies", "--output=x:y"]) {
        expect(await diffRevision(revision)).toMatchObject({
          code: 2,
          err: expect.stringContaining("no such revision here (REV:PATH, as in main:policies)"),
        });
      }
    });
  });
});
