/** A policy directory on disk, and the commands on it as a person calls them. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { policyCommand } from "../../../../broker/cli/policy/command.ts";
import { filesOf, roles } from "../../../policies/fixtures.ts";
import { type RecordedTerminal, recordTerminal } from "../recorded-terminal.ts";

const limitedRoles = roles.replace(
  "tools: [add_comment]",
  "tools: [add_comment]\n        limit: { calls: 2 }",
);

export interface PolicyDirectory {
  readonly path: string;
  write(file: string, text: string): Promise<void>;
  change(file: string, from: string, to: string): Promise<void>;
  remove(): Promise<void>;
}

export async function createPolicyDirectory(): Promise<PolicyDirectory> {
  const path = await mkdtemp(join(tmpdir(), "policies-"));
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), text);
  };
  for (const file of filesOf({ roles: limitedRoles })) await write(file.path, file.text);
  return {
    path,
    write,
    change: async (file, from, to) => {
      const text = await readFile(join(path, file), "utf8");
      if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
      await write(file, text.replace(from, to));
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

export async function runPolicy(args: readonly string[], policies = "policies"): Promise<RecordedTerminal> {
  const terminal = recordTerminal();
  await policyCommand({ policies }, terminal).parseAsync([...args], { from: "user" });
  return terminal;
}
