/**
 * `lanyard policy test`: runs the unit tests of a policy directory, and says which rules no test is about.
 */
import { join } from "node:path";
import { Command } from "commander";
import { placeRules } from "../../../policies/authoring/rule-places.ts";
import { readTestSuite } from "../../../policies/authoring/test-suite.ts";
import { listUntestedRules, runTests } from "../../../policies/authoring/unit-tests.ts";
import type { PolicyDefaults } from "../defaults.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { answer, NoAnswer, openDirectory } from "./answer.ts";
import { EXAMPLE_TESTS, renderOutcomes } from "./test-text.ts";

interface Options {
  readonly filter?: string;
  readonly requireCoverage?: true;
  readonly json?: true;
}

export function policyTestCommand(defaults: PolicyDefaults, terminal: Terminal): Command {
  return new Command("test")
    .description("run the unit tests of a policy directory: tests/*.yaml")
    .argument("[directory]", "the policy directory", defaults.policies)
    .option("--filter <text>", "only the tests whose file or name contains this text")
    .option("--require-coverage", "a rule that no test is about counts as a failure")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `\nA file of tests says once whose run it is about, each test what is called and what is expected:\n\n${indent(EXAMPLE_TESTS)}\n` +
        "\nThe run is one that the robot's first binding is about (binding: 2, the second), where run and claims say" +
        "\nnothing else; the real bindings decide what it gets. roles: [reader], in place of robot, tests roles alone." +
        "\nA condition that cannot be evaluated denies everything, a misspelled argument too: a test that means it says" +
        "\nreason: condition_error." +
        "\n`lanyard policy schema tests --modeline` makes an editor know every key." +
        "\n\nExit code: 0 when all tests pass; 1 when one fails, or with --require-coverage a rule is not tested; 2 when" +
        "\nit was called wrongly or the documents or tests do not load.",
    )
    .action(async (directory: string, options: Options) => {
      await answer({ terminal, json: options.json ?? false }, async () =>
        testPolicies(directory, options, terminal),
      );
    });
}

async function testPolicies(directory: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const { files, policies } = await openDirectory(directory);
  const suite = await readTestSuite(directory, policies);
  if (!suite.ok) {
    throw new NoAnswer(`${directory}: the tests do not load: none was run`, { directory, ...suite });
  }
  const { filter } = options;
  const outcomes = await runTests(policies, suite.documents, (name) => name.includes(filter ?? ""));
  if (filter !== undefined && outcomes.length === 0 && suite.documents.length > 0) {
    throw new NoAnswer(`--filter: no test has ${JSON.stringify(filter)} in its file or name`);
  }
  const untested = listUntestedRules(policies, outcomes);
  const failed = outcomes.filter(({ failures }) => failures.length > 0).length;
  const isCovered = options.requireCoverage !== true || untested.length === 0;
  const ok = failed === 0 && isCovered;
  const report = { directory, outcomes, untested, places: placeRules(files) };
  if (options.json) {
    const passed = outcomes.length - failed;
    terminal.write(`${JSON.stringify({ ok, directory, passed, failed, untested, tests: outcomes })}\n`);
  } else if (suite.documents.length === 0) {
    terminal.write(
      `${directory} has no tests. Write some in ${join(directory, "tests", "triager.yaml")}:\n\n${indent(EXAMPLE_TESTS)}\n`,
    );
  } else {
    terminal.write(renderOutcomes({ ...report, isCoverageRequired: options.requireCoverage === true }));
  }
  return ok ? 0 : 1;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
