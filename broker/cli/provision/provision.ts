/**
 * `lanyard provision`: writes a robot user into the policy document of its repository, under the ids that GitHub says.
 * It shows what it will write, checks the whole directory with it, and replaces no robot that exists.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command, Option } from "commander";
import { readPolicyFiles } from "../../../policies/documents/directory.ts";
import type { PolicyFile } from "../../../policies/documents/document.ts";
import { assemblePolicies } from "../../../policies/loading.ts";
import type { Problem } from "../../../policies/documents/problem.ts";
import { provisionRobot, robotsPathOf } from "../../../policies/provisioning.ts";
import { readGithubConfig } from "../../config.ts";
import type { PolicyDefaults } from "../defaults.ts";
import { reportProblem } from "../problem-report.ts";
import {
  bindingOf,
  type BindingOptions,
  describeNext,
  findWarnings,
  MISSING,
} from "./provisioned-binding.ts";
import { type RepositoryIdentity, findIdentity } from "./repository-identity.ts";
import { type ExitCode, openTerminal, type Terminal } from "../terminal.ts";

interface Options extends BindingOptions {
  issuer?: string;
  repositoryId?: string;
  ownerId?: string;
  githubApi: string;
  policies: string;
  dryRun?: true;
  yes?: true;
  json?: true;
}

type GithubConfig = ReturnType<typeof readGithubConfig>;

export function provisionCommand(
  defaults: PolicyDefaults,
  terminal: Terminal = openTerminal(),
  github: GithubConfig = readGithubConfig(),
): Command {
  return new Command("provision")
    .description("provision a robot user for the runs of one workflow of a repository")
    .argument("<repository>", "OWNER/REPO")
    .argument("<name>", "the robot's name, for example triager")
    .option("--repository-id <id>", "the repository's id; GitHub is asked where it is not given")
    .option("--owner-id <id>", "the id of its owner; GitHub is asked where it is not given")
    .requiredOption("--workflow <path>", "the workflow file: .github/workflows/triage.yml")
    .requiredOption("--event <event...>", "the events that may trigger the run")
    .addOption(
      new Option("--ref <ref>", "the branch or tag the run is on: refs/heads/main").conflicts("baseRef"),
    )
    .option("--base-ref <branch>", "in place of --ref: runs on pull requests into this branch")
    .option("--role <role...>", "the roles that the run gets")
    .option(
      "--observe",
      "find out first what it needs: read_only tools pass without a role, all else is denied",
    )
    .addOption(
      new Option("--runner <kind>", "where the job runs (default: github-hosted)").choices([
        "github-hosted",
        "self-hosted",
      ]),
    )
    .option("--environment <name>", "the deployment environment that the job must name")
    .option("--accept-untrusted", "outsiders who can cause an event may reach tools that are not read_only")
    .option(
      "--issuer <url>",
      "who issues the tokens (default: that of the GitHub that was asked, or github.com's)",
    )
    .option(
      "--github-api <url>",
      "the API to ask: https://HOST/api/v3 of an Enterprise Server",
      github.apiUrl,
    )
    .option("--policies <directory>", "the policy directory", defaults.policies)
    .option("--dry-run", "show the document and write nothing")
    .option("--yes", "write without asking")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nWith GITHUB_TOKEN set, GitHub says the ids: the token needs `metadata: read`." +
        "\nRuns can be observed whose events outsiders cannot cause; `lanyard policy suggest` makes a role of their logs.",
    )
    .action(async (repository: string, name: string, options: Options) => {
      terminal.exit(await provision({ repository, name, options, token: github.token }, terminal));
    });
}

type Provision = { repository: string; name: string; options: Options; token: string | undefined };

interface Plan {
  readonly file: PolicyFile;
  /** The text that the plan was made from; undefined: there was no document. */
  readonly existing: string | undefined;
  readonly identity: RepositoryIdentity;
  readonly warnings: readonly string[];
}

async function provision(asked: Provision, terminal: Terminal): Promise<ExitCode> {
  const { options } = asked;
  const plan = await planRobot(asked);
  if ("code" in plan) {
    const { code, message, problems, files, usage } = plan;
    if (options.json) {
      terminal.write(`${JSON.stringify({ ok: false, code, message, problems })}\n`);
    } else {
      terminal.writeError(`${message}\n`);
      const from = { directory: options.policies, files };
      for (const problem of problems) {
        terminal.writeError(
          usage ? `${problem.key}: ${problem.message}\n` : reportProblem(problem, from, "error"),
        );
      }
    }
    return usage ? 2 : 1;
  }
  const path = join(options.policies, plan.file.path);
  if (!options.json) {
    const { issuer, repositoryId, ownerId, source } = plan.identity;
    if (source === "github") {
      terminal.write(
        `GitHub: ${asked.repository} is ${repositoryId}, its owner ${ownerId}, issuer ${issuer}\n\n`,
      );
    }
    terminal.write(`${path}:\n\n${plan.file.text}\n`);
    for (const warning of plan.warnings) {
      terminal.writeError(`warning: ${warning}\n`);
    }
  }
  const answer = options.dryRun ? false : options.yes || (await terminal.confirm(`Write ${path}?`));
  if (answer === undefined) {
    terminal.writeError("Nothing was written: say --yes to write it, or --dry-run to see it only.\n");
    return 2;
  }
  if (answer && !(await writeAtomically(path, plan.file.text, plan.existing))) {
    const message = `${path} was changed by somebody else meanwhile: nothing was written, start again`;
    if (options.json) terminal.write(`${JSON.stringify({ ok: false, code: "document_changed", message })}\n`);
    else terminal.writeError(`${message}\n`);
    return 1;
  }
  if (options.json) {
    const { file, identity, warnings } = plan;
    const ids = {
      issuer: identity.issuer,
      repository_id: identity.repositoryId,
      repository_owner_id: identity.ownerId,
      source: identity.source,
    };
    const told = { ok: true, path, written: answer, document: file.text, identity: ids, warnings };
    terminal.write(`${JSON.stringify(told)}\n`);
  } else {
    const robot = `${asked.repository}/${asked.name}`;
    terminal.write(answer ? `Written: ${robot}.\n` : "Nothing was written.\n");
    terminal.write(answer && options.observe ? describeNext(robot) : "");
  }
  return 0;
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly problems: readonly Problem[];
  readonly files: readonly PolicyFile[];
  readonly usage: boolean;
}

/** The document to write, checked together with the whole directory as it would be then. */
async function planRobot({ repository, name, options, token }: Provision): Promise<Plan | Refusal> {
  const read = await readPolicyFiles(options.policies);
  const refuse = (refusal: Partial<Refusal> & Pick<Refusal, "code" | "message">): Refusal => ({
    problems: [],
    files: read.ok ? read.files : [],
    usage: false,
    ...refusal,
  });
  if (!read.ok) {
    const message = `there is no directory ${options.policies}: name one with --policies`;
    return refuse({ code: "policies_missing", message, usage: true });
  }
  const binding = bindingOf(options);
  if ("missing" in binding) {
    return refuse({ code: `${binding.missing}_missing`, message: MISSING[binding.missing], usage: true });
  }
  const documentPath = robotsPathOf(repository);
  if (documentPath === undefined) {
    const message = `"${repository}" is no repository: expected OWNER/REPO`;
    return refuse({ code: "request_invalid", message, usage: true });
  }
  const { issuer, repositoryId, ownerId, githubApi: apiUrl } = options;
  const identity = await findIdentity({ repository, issuer, repositoryId, ownerId, apiUrl, token });
  if (!identity.ok) return refuse(identity);
  const existing = read.files.find((file) => file.path === documentPath)?.text;
  const result = provisionRobot({
    issuer: identity.issuer,
    repository,
    repositoryId: identity.repositoryId,
    repositoryOwnerId: identity.ownerId,
    name,
    bindings: [binding],
    existing,
  });
  if (!result.ok) {
    return refuse({ ...result, usage: result.code === "request_invalid" });
  }
  const file = { path: result.path, text: result.text };
  const files = [...read.files.filter(({ path }) => path !== file.path), file];
  const loaded = assemblePolicies(files, read.problems);
  if (!loaded.ok) {
    const message = "Nothing was written: with this robot, the policies would have problems.";
    return refuse({ code: "policies_invalid", message, problems: loaded.problems, files });
  }
  const warnings = [...identity.notes, ...findWarnings(binding, loaded.policies)];
  return { file, existing, identity, warnings };
}

/**
 * Whoever reads the directory meanwhile sees the old document or the new one, never half of one. False: what is there
 * is not what the plan was made from, and it stays.
 */
async function writeAtomically(path: string, text: string, existing: string | undefined): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, text, { flag: "wx" });
    if (existing === undefined) {
      await link(temporary, path);
      return true;
    }
    if ((await readFile(path, "utf8")) !== existing) return false;
    await rename(temporary, path);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST" || code === "ENOENT") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
