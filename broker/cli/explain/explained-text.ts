/** Explanations as a person reads them: one line for each thing that was asked, marked by how it ended. */
import type { ExplainedMatch, ExplainedRobot } from "./explained-binding.ts";
import type { ExplainedReference } from "./explained-reference.ts";
import type { StepOutcome } from "./explained-token.ts";
import { showControls } from "../problem-report.ts";

const MARKS = { passed: "✓", refused: "✗", skipped: "–" } as const;
const STEP_WIDTH = 11;
const FIELD_WIDTH = 20;

export function renderSteps(steps: readonly StepOutcome[]): string {
  const lines = steps.map(({ step, outcome, code, detail }) => {
    const text = detail === undefined ? "" : code === undefined ? detail : `${code}: ${detail}`;
    return `  ${MARKS[outcome]} ${step.padEnd(STEP_WIDTH)}${showControls(text)}`.trimEnd();
  });
  return `The token\n${lines.join("\n")}\n`;
}

export function renderMatch({ decision, file, robots }: ExplainedMatch): string {
  const where = file === undefined ? "" : `The bindings in ${file}\n`;
  const verdict = decision.ok
    ? `Matches: ${decision.robot}, binding ${decision.binding}, roles ${decision.roles.join(", ")}`
    : `Nothing matches: ${showControls(decision.detail)}`;
  return `${where}${robots.map(renderRobot).join("")}${verdict}\n`;
}

function renderRobot({ robot, bindings }: ExplainedRobot): string {
  const parts = bindings.map(({ binding, matches, roles, fields }) => {
    const head = `  ${mark(matches)} ${robot}, binding ${binding} (${roles.join(", ")})`;
    const lines = fields.map(({ field, expected, got, matches: fits }) => {
      const text = fits ? got : `expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`;
      return `      ${mark(fits)} ${field.padEnd(FIELD_WIDTH)}${showControls(text)}`;
    });
    return [head, ...lines].join("\n");
  });
  return `${parts.join("\n")}\n`;
}

export function renderReference(found: ExplainedReference): string {
  const { reference, code, status, sentence, detail, time, mismatches } = found;
  return [
    `Reference ${reference}${time === undefined ? "" : `, ${time}`}`,
    `  refused with  ${code} (${status})`,
    `  the reason    ${showControls(detail)}`,
    ...mismatches.map(
      ({ field, expected, got }) =>
        `  ${mark(false)} ${field.padEnd(FIELD_WIDTH)}${showControls(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)}`,
    ),
    `  the caller    "${sentence}"`,
    "",
  ].join("\n");
}

function mark(fits: boolean): string {
  return fits ? MARKS.passed : MARKS.refused;
}
