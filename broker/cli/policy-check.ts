/**
 * `lanyard policy check`: loads a policy directory and reports every problem in it, with the line it is about.
 */
import { Command } from "commander";
import { readPolicyFiles } from "../../policies/documents/directory.ts";
import { assemblePolicies, type LoadedPolicies } from "../../policies/loading.ts";
import type { Policies } from "../../policies/policies.ts";
import { type ReportedFiles, reportProblem } from "./problem-report.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

export interface PolicyDefaults {
  /** The directory that is meant where none is named. */
  readonly policies: string;
}

export function policyCheckCommand(defaults: PolicyDefaults, terminal: Terminal = openTerminal()): Command {
  return new Command("check")
    .description("check a policy directory and report every problem with its file, line and key")
    .argument("[directory]", "the directory with servers.yaml, roles.yaml and robots/", defaults.policies)
    .option("--json", "print one JSON object")
    .action(async (directory: string, options: { json?: true }) => {
      await checkPolicies({ directory, json: options.json ?? false }, terminal);
    });
}

async function checkPolicies(
  options: { directory: string; json: boolean },
  terminal: Terminal,
): Promise<void> {
  const { directory } = options;
  const read = await readPolicyFiles(directory);
  const loaded: LoadedPolicies = read.ok ? assemblePolicies(read.files, read.problems) : read;
  terminal.exit(loaded.ok ? 0 : read.ok ? 1 : 2);
  if (options.json) {
    terminal.write(`${JSON.stringify(summarize(directory, loaded))}\n`);
    return;
  }
  const from = { directory, files: read.ok ? read.files : [] };
  if (loaded.ok) {
    writeWarnings(loaded, from, terminal);
    terminal.write(`${directory}: ${describe(loaded.policies)}: no problems\n`);
    return;
  }
  for (const problem of loaded.problems) {
    terminal.writeError(reportProblem(problem, from, "error"));
  }
  terminal.writeError(`${directory}: ${count(loaded.problems.length, "problem")}\n`);
}

function writeWarnings(loaded: LoadedPolicies & { ok: true }, from: ReportedFiles, terminal: Terminal): void {
  for (const warning of loaded.warnings) {
    terminal.writeError(reportProblem(warning, from, "warning"));
  }
}

function summarize(directory: string, loaded: LoadedPolicies): unknown {
  return loaded.ok
    ? { ok: true, directory, ...countEntries(loaded.policies), problems: [], warnings: loaded.warnings }
    : { ok: false, directory, problems: loaded.problems, warnings: [] };
}

function countEntries({ servers, roles, repositories }: Policies): {
  servers: number;
  roles: number;
  robots: number;
} {
  const robots = repositories.values().reduce((sum, repository) => sum + repository.robots.size, 0);
  return { servers: servers.size, roles: roles.size, robots };
}

function describe(policies: Policies): string {
  const { servers, roles, robots } = countEntries(policies);
  return [count(servers, "server"), count(roles, "role"), count(robots, "robot")].join(", ");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
