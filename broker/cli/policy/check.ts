/**
 * `lanyard policy check`: loads a policy directory and reports every problem in it, with the line it is about.
 */
import { Command } from "commander";
import { readPolicyFiles } from "../../../policies/documents/directory.ts";
import { assemblePolicies, type LoadedPolicies } from "../../../policies/loading.ts";
import type { Policies } from "../../../policies/policies.ts";
import type { PolicyDefaults } from "../defaults.ts";
import { reportProblem } from "../problem-report.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { count } from "./answer.ts";

interface Options {
  readonly strict?: true;
  readonly json?: true;
}

export function policyCheckCommand(defaults: PolicyDefaults, terminal: Terminal): Command {
  return new Command("check")
    .description("check a policy directory and report every problem with its file, line and key")
    .argument("[directory]", "the directory with servers.yaml, roles.yaml and robots/", defaults.policies)
    .option("--strict", "a warning counts as a problem")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nAn error keeps the directory from being loaded: the broker stays with the policies it has." +
        "\nA warning does not: it is what a reviewer should have looked at. Each says what to change." +
        "\nA note is about what nobody gets, and never counts." +
        "\n\nExit code: 0 when it loads; 1 when it does not, or with --strict when there is a warning; 2 when there is no such directory.",
    )
    .action(async (directory: string, options: Options) => {
      terminal.exit(await checkPolicies(directory, options, terminal));
    });
}

async function checkPolicies(
  directory: string,
  { strict = false, json = false }: { strict?: boolean; json?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const read = await readPolicyFiles(directory);
  const loaded: LoadedPolicies = read.ok ? assemblePolicies(read.files, read.problems) : read;
  const warnings = loaded.ok ? loaded.warnings : [];
  const unused = loaded.ok ? loaded.unused : [];
  const ok = loaded.ok && !(strict && warnings.length > 0);
  const code = ok ? 0 : read.ok ? 1 : 2;
  if (json) {
    const entries = loaded.ok ? countEntries(loaded.policies) : {};
    const problems = loaded.ok ? [] : loaded.problems;
    terminal.write(`${JSON.stringify({ ok, directory, ...entries, problems, warnings, unused })}\n`);
    return code;
  }
  const from = { directory, files: read.ok ? read.files : [] };
  for (const warning of warnings) {
    terminal.writeError(reportProblem(warning, from, "warning"));
  }
  for (const note of unused) {
    terminal.writeError(reportProblem(note, from, "note"));
  }
  if (loaded.ok) {
    const found = warnings.length === 0 ? "no problems" : `no problems, ${count(warnings.length, "warning")}`;
    terminal.write(`${directory}: ${describe(loaded.policies)}: ${found}\n`);
    return code;
  }
  for (const problem of loaded.problems) {
    terminal.writeError(reportProblem(problem, from, "error"));
  }
  terminal.writeError(`${directory}: ${count(loaded.problems.length, "problem")}\n`);
  return code;
}

function countEntries({ servers, credentials, roles, repositories }: Policies): {
  servers: number;
  credentials: number;
  roles: number;
  robots: number;
} {
  const robots = repositories.values().reduce((sum, repository) => sum + repository.robots.size, 0);
  return { servers: servers.size, credentials: credentials.size, roles: roles.size, robots };
}

function describe(policies: Policies): string {
  const { servers, credentials, roles, robots } = countEntries(policies);
  const named = credentials === 0 ? [] : [count(credentials, "credential")];
  return [count(servers, "server"), ...named, count(roles, "role"), count(robots, "robot")].join(", ");
}
