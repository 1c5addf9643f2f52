/** Documents whose texts are escapes that a terminal obeys or nobody sees: no command gives them to a terminal as they are. */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { showControls } from "../../../../broker/cli/problem-report.ts";
import { createPolicyDirectory, type PolicyDirectory, runPolicy } from "./policy-directory.ts";

let [before, after]: PolicyDirectory[] = [];
beforeEach(async () => {
  before = await createPolicyDirectory();
  after = await createPolicyDirectory();
});
afterEach(async () => {
  await before?.remove();
  await after?.remove();
});

/** Erases the screen, turns text around, takes no room, and says something in tags. */
const escaped = String.raw`\e[2J\x9b2J\u202e\u2066\u200b\u2060\u00ad\ufe0f\u2028\U000e0041\u3164`;
const unseen = /[^\P{C}\n]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

describe("what documents hold that nobody can see", () => {
  it("reaches no terminal and no comment, whichever command shows it", async () => {
    if (before === undefined || after === undefined) throw new Error("no directory");
    await after.change(
      "roles.yaml",
      "tools: [get_*]",
      `tools: ["get_${escaped.slice(12)}*"]`.replaceAll("\\u2028", ""),
    );
    await after.change(
      "roles.yaml",
      "when: args.owner ==",
      `when: "args.owner != '${escaped}' && args.owner ==`,
    );
    await after.change("roles.yaml", "run.repository_name", 'run.repository_name"');
    await after.change("servers.yaml", "command: [", `command: ["${escaped}", `);
    await after.write(
      "tests/a.yaml",
      `server: github\nroles: [commenter]\ntests:\n  - { name: "${escaped}", tools: ["${escaped}", add_comment], args: { owner: "${escaped}" }, expect: allow }\n`,
    );
    const path = after.path;
    const call = [
      "--roles",
      "commenter",
      "--server",
      "github",
      "--tool",
      "add_comment",
      "--args",
      `{"owner":"\\u200b\\u001b"}`,
    ];
    const shown = [
      await runPolicy(["check", path, "--strict"]),
      await runPolicy(["test", path]),
      await runPolicy(["explain", path]),
      await runPolicy(["explain", path, ...call]),
      await runPolicy(["diff", before.path, path]),
      await runPolicy(["diff", before.path, path, "--format", "markdown"]),
    ];
    expect(shown.map(({ code }) => code)).toEqual([0, 1, 0, 1, 1, 1]);
    for (const { out, err } of shown) {
      expect(out + err).not.toMatch(unseen);
    }
    expect(shown[3]?.out).toContain("·[2J");
  });

  it("is shown as dots in the name of a file, too", async () => {
    if (after === undefined) throw new Error("no directory");
    await after.write(
      "tests/a.yaml",
      "server: github\nroles: [reader]\ntests:\n  - { tools: [x], expect: allow }\n",
    );
    await rename(join(after.path, "tests/a.yaml"), join(after.path, "tests/\u001b[2J\u200b.yaml"));
    await after.write("robots/acme/\u001b[2Jx.yaml", "repository: \u200b\n");
    expect((await runPolicy(["check", after.path])).err).not.toMatch(unseen);
    await after.write("robots/acme/\u001b[2Jx.yaml", "");
    const { out, err } = await runPolicy(["test", after.path]);
    expect(out + err).not.toMatch(unseen);
  });

  it("is every character without a shape, and no letter of any script", () => {
    expect(showControls("a\u200bb\u2060\u{e0041}\u2028\u00ad\ufeff\u115f\ud800\t")).toBe("a·b········");
    expect(showControls("é e\u0301 日本語 עברית हिन्दी 👍")).toBe("é e\u0301 日本語 עברית हिन्दी 👍");
  });
});
