/**
 * `lanyard policy explain`: who can call what; and for one call, why it is allowed or denied and what would change it.
 */
import { Command } from "commander";
import { listAccess } from "../../../policies/authoring/access-list.ts";
import { placeRules } from "../../../policies/authoring/rule-places.ts";
import { listRobots } from "../../../policies/authoring/test-subject.ts";
import { suggestNames } from "../../../policies/documents/nearest-name.ts";
import type { PolicyDefaults } from "../defaults.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { renderAccess } from "./access-text.ts";
import { answer, NoAnswer, openDirectory, type OpenedDirectory } from "./answer.ts";
import { explainAskedCall } from "./explained-call.ts";
import { readAskedCall, type CallOptions } from "./call-options.ts";

interface Options extends CallOptions {
  readonly json?: true;
}

export function policyExplainCommand(defaults: PolicyDefaults, terminal: Terminal): Command {
  return new Command("explain")
    .description("say who can call what, or why one call is allowed or denied")
    .argument("[directory]", "the policy directory", defaults.policies)
    .option("--robot <name>", "a robot: OWNER/REPO/NAME, or its own name")
    .option("--server <name>", "a server")
    .option("--tool <name>", "a tool of the server")
    .option("--resource <uri>", "a resource of the server, in place of --tool")
    .option("--prompt <name>", "a prompt of the server, in place of --tool")
    .option("--ask <what>", "what the server asks the agent for, in place of --tool: elicitation")
    .option("--args <json>", "the arguments of the call: a JSON object, or @FILE")
    .option("--agent <name>", "the agent that calls", "agent")
    .option(
      "--after <call>",
      'a call that came before: "[3x] SERVER TOOL [JSON]"; can be repeated',
      (value: string, earlier: string[] = []) => [...earlier, value],
    )
    .option("--binding <number>", "the run is one that this binding is about (default: the first)")
    .option("--event <name>", "the run's event, where it is another")
    .option("--ref <ref>", "the run's ref: refs/heads/main, refs/pull/7/merge")
    .option("--base-ref <branch>", "the target branch of the run's pull request")
    .option("--workflow <path>", "the run's workflow file")
    .option("--environment <name>", "the job's deployment environment")
    .option("--runner <kind>", "where the job runs: github-hosted or self-hosted")
    .option("--claims <file>", "the run's claims, as JSON: they go before all of these")
    .option("--roles <names>", "in place of a binding: these roles by themselves, separated by commas")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nWithout a call: lists for each robot and binding what its runs can call. --robot, --server and --tool narrow the" +
        "\nlist down: `--tool create_gist` alone answers who can call it." +
        "\nWith --robot (or --roles), --server and --tool: decides that call with the compiled policy, as the proxy would," +
        "\nand shows the rule with its place, what each grant that names the tool says, and what would have to change." +
        "\n\n  lanyard policy explain --tool add_issue_comment" +
        "\n  lanyard policy explain --robot acme/payments/triager --server github --tool add_issue_comment \\" +
        '\n    --args \'{"owner":"acme","repo":"payments"}\' --event schedule --after "github get_issue"' +
        "\n\nExit code: 0 for a list and for a call that is allowed; 1 for a call that is denied, or a run without a binding;" +
        "\n2 when it was called wrongly or the documents do not load.",
    )
    .action(async (directory: string, options: Options) => {
      await answer({ terminal, json: options.json ?? false }, async () => {
        const opened = await openDirectory(directory);
        checkNames(opened, options);
        const asked = await readAskedCall(options);
        return asked === undefined
          ? list(opened, options, terminal)
          : explainAskedCall(opened, asked, { terminal, json: options.json ?? false });
      });
    });
}

function checkNames({ policies }: OpenedDirectory, { robot, server }: Options): void {
  const robots = listRobots(policies);
  const repositories = robots.map((name) => name.slice(0, name.lastIndexOf("/")));
  const own = robots.map((name) => name.slice(name.lastIndexOf("/") + 1));
  if (robot !== undefined && ![...robots, ...repositories, ...own].includes(robot)) {
    throw new NoAnswer(`--robot: there is no robot ${JSON.stringify(robot)}: ${suggestNames(robot, robots)}`);
  }
  if (server !== undefined && !policies.servers.has(server)) {
    const known = suggestNames(server, policies.servers.keys());
    throw new NoAnswer(`--server: there is no server ${JSON.stringify(server)}: ${known}`);
  }
}

function list(opened: OpenedDirectory, options: Options, terminal: Terminal): ExitCode {
  const { robot, server } = options;
  const name = options.tool ?? options.prompt ?? options.resource ?? options.ask;
  const isNarrowed = server !== undefined || name !== undefined;
  const found = listAccess(opened.policies, { robot, server, name }).filter(
    ({ grants, observed }) => !isNarrowed || grants.length > 0 || observed.length > 0,
  );
  const places = placeRules(opened.files);
  if (options.json) {
    terminal.write(`${JSON.stringify({ ok: true, directory: opened.directory, access: found })}\n`);
  } else if (found.length === 0) {
    terminal.write(`Nobody can call ${name ?? "anything"}${server === undefined ? "" : ` of ${server}`}.\n`);
  } else {
    terminal.write(
      found.map((each) => renderAccess(each, { directory: opened.directory, places })).join("\n"),
    );
  }
  return 0;
}
