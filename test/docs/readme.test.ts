/** README.md: its table of commands is what `lanyard --help` knows. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { beforeAll, describe, expect, it } from "vitest";
import { auditVerifyCommand } from "../../broker/cli/audit-verify.ts";
import { credentialCommand } from "../../broker/cli/credential/command.ts";
import { explainCommand } from "../../broker/cli/explain/explain.ts";
import { keysCommand } from "../../broker/cli/keys/keys.ts";
import { operatorCommand } from "../../broker/cli/operator.ts";
import { policyCommand } from "../../broker/cli/policy/command.ts";
import { provisionCommand } from "../../broker/cli/provision/provision.ts";
import { serveCommand } from "../../broker/cli/serve.ts";
import { sessionCommand } from "../../broker/cli/session/session.ts";
import { devCommand } from "../../dev/command.ts";

const ROOT = join(import.meta.dirname, "../..");
const defaults = { policies: "policies" };
const program = [
  ...[devCommand(), serveCommand(), operatorCommand(), sessionCommand(), keysCommand(), credentialCommand()],
  ...[provisionCommand(defaults), policyCommand(defaults)],
  explainCommand({ ...defaults, issuers: [], privateIssuers: [], audience: undefined }),
  new Command("audit").addCommand(auditVerifyCommand()),
];

/** Every command that does something, by its name in full: `serve`, `policy check`. */
const commands = new Map(
  program.flatMap((command): [string, Command][] =>
    command.commands.length === 0
      ? [[command.name(), command]]
      : command.commands.map((part) => [`${command.name()} ${part.name()}`, part]),
  ),
);

/** `policy check`, `explain` in the first column stand for `policy check` and `policy explain`. */
function listDocumented(readme: string): string[] {
  const section = readme.split(/^(?=## )/m).find((part) => part.startsWith("## Commands\n")) ?? "";
  return [...section.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) => {
    const names = [...cell.matchAll(/`([a-z ]+)`/g)].map(([, name = ""]) => name);
    const [group] = names[0]?.includes(" ") === true ? names[0].split(" ") : [];
    return names.map((name) => (group === undefined || name.includes(" ") ? name : `${group} ${name}`));
  });
}

describe("README.md", () => {
  let readme: string;
  beforeAll(async () => {
    readme = await readFile(join(ROOT, "README.md"), "utf8");
  });

  it("lists every command there is, and no other", () => {
    expect(listDocumented(readme).sort()).toEqual([...commands.keys()].sort());
  });

  it("knows them from the same list as lanyard --help", async () => {
    const args = [join(ROOT, "bin/lanyard.js"), "--help"];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const listed = [...(stdout.split(/^Commands:$/m)[1] ?? "").matchAll(/^ {2}([a-z]+)\b/gm)];
    const names = listed.map(([, name = ""]) => name).filter((name) => name !== "help");
    expect(names.sort()).toEqual(program.map((command) => command.name()).sort());
  }, 60_000);

  it("is right that all but dev and serve answer with one JSON object", () => {
    const without = [...commands].filter(([, { options }]) => !options.some(({ long }) => long === "--json"));
    expect(without.map(([name]) => name).filter((name) => name !== "serve")).toEqual(["dev"]);
  });

  it("can be read at once", () => {
    expect(readme.split("\n").length).toBeLessThanOrEqual(150);
  });
});
