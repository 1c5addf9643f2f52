/**
 * `lanyard policy diff`: which robot gains and loses what by a change of the documents; made to be a pull request's comment.
 */
import { Command, Option } from "commander";
import { comparePolicies } from "../../../policies/authoring/difference.ts";
import type { PolicyDefaults } from "../defaults.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { answer } from "./answer.ts";
import { renderMarkdown } from "./difference-markdown.ts";
import { renderText, summarize } from "./difference-text.ts";
import { openSide } from "./revision.ts";

interface Options {
  readonly format: "text" | "markdown";
  readonly json?: true;
}

export function policyDiffCommand(defaults: PolicyDefaults, terminal: Terminal): Command {
  return new Command("diff")
    .description("say which robot gains and loses what between two versions of a policy directory")
    .argument("<before>", "a policy directory, or REV:PATH of this git repository: main:policies")
    .argument("[after]", "the same", defaults.policies)
    .addOption(
      new Option("--format <format>", "text, or markdown for a pull request's comment")
        .choices(["text", "markdown"])
        .default("text"),
    )
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nCompared is what sessions can do, run by run, not how it is written: a grant that moves to another role, a role" +
        "\nwith another name, another order of files are no difference. A changed condition counts as a gain, unless there was" +
        "\nnone before: which of two conditions is wider is for a person to say. What is behind a name counts as well: a" +
        "\nserver's url or command, labels that flow rules look at, definitions in lanyard.lock." +
        "\nA role that no robot has is not compared: nobody can use it." +
        "\n\n  lanyard policy diff origin/main:policies policies --format markdown" +
        "\n\nExit code: 0 when nothing is gained; 1 when something is; 2 when it was called wrongly or one side does not load.",
    )
    .action(async (before: string, after: string, options: Options) => {
      await answer({ terminal, json: options.json ?? false }, async () =>
        diff({ before, after }, options, terminal),
      );
    });
}

async function diff(
  sides: { readonly before: string; readonly after: string },
  { format, json }: Options,
  terminal: Terminal,
): Promise<ExitCode> {
  const before = await openSide(sides.before);
  const after = await openSide(sides.after);
  const difference = comparePolicies(before.policies, after.policies);
  if (json) {
    const { hasGains, ...found } = difference;
    terminal.write(
      `${JSON.stringify({ ok: !hasGains, ...sides, summary: summarize(difference), ...found })}\n`,
    );
  } else {
    terminal.write(format === "markdown" ? renderMarkdown(difference) : renderText(difference));
  }
  return difference.hasGains ? 1 : 0;
}
