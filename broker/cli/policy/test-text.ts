/** The outcome of policy tests as a person reads it: what failed in full, everything else as a number. */
import { join } from "node:path";
import type { RulePlace } from "../../../policies/authoring/rule-places.ts";
import type { TestFailure } from "../../../policies/authoring/test-session.ts";
import type { TestOutcome } from "../../../policies/authoring/unit-tests.ts";
import { showControls } from "../problem-report.ts";
import { count } from "./answer.ts";
import { renderConsidered } from "./explanation-text.ts";

export const EXAMPLE_TESTS = `# tests/triager.yaml
robot: acme/payments/triager
server: github
tests:
  - tools: [get_issue, list_issues]
    expect: allow
  - name: comments stay in the own repository
    tools: [add_issue_comment]
    args: { owner: somebody-else, repo: payments }
    expect: deny
    reason: condition_false
  - name: no more than 20 comments
    after: [{ tool: add_issue_comment, args: { owner: acme, repo: payments }, times: 20 }]
    tools: [add_issue_comment]
    args: { owner: acme, repo: payments }
    expect: deny
  - name: a run on another branch gets nothing
    run: { ref: refs/heads/elsewhere }
    refused: no_binding
`;

export interface ReportedOutcomes {
  readonly directory: string;
  readonly outcomes: readonly TestOutcome[];
  readonly untested: readonly string[];
  readonly places: ReadonlyMap<string, RulePlace>;
  readonly isCoverageRequired: boolean;
}

export function renderOutcomes(report: ReportedOutcomes): string {
  const { directory, outcomes, untested, places, isCoverageRequired } = report;
  const failed = outcomes.filter(({ failures }) => failures.length > 0);
  const parts = failed.map(({ file, line, column, name, failures }) => {
    const head = `FAILED  ${showControls(name)}\n        ${showControls(`${join(directory, file)}:${line}:${column}`)}\n`;
    return `${head}${failures.map((failure) => renderFailure(failure, report)).join("")}\n`;
  });
  const rules = untested.map((rule) => {
    const place = places.get(rule);
    return `  ${rule}${place === undefined ? "" : `  ${join(directory, place.file)}:${place.line}`}\n`;
  });
  const passed = outcomes.length - failed.length;
  return [
    ...parts,
    ...(untested.length === 0
      ? []
      : [
          `${count(untested.length, "rule")} that no test is about${isCoverageRequired ? " (--require-coverage)" : ""}:\n`,
          ...rules,
        ]),
    `${count(outcomes.length, "test")}: ${passed} passed, ${failed.length} failed\n`,
  ].join("");
}

function renderFailure({ about, expected, got, explanation }: TestFailure, report: ReportedOutcomes): string {
  const lines = [
    `  ${showControls(about)}`,
    `    expected  ${showControls(expected)}`,
    `    got       ${showControls(got)}`,
  ].join("\n");
  const why = explanation === undefined ? "" : renderConsidered(explanation, report);
  return `${lines}\n${why.replaceAll(/^(?=.)/gm, "    ")}`;
}
