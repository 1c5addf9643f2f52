/** The explanation of one call as a person reads it: the answer, what each grant says, and what would have to change. */
import { join } from "node:path";
import type { CallExplanation, ConsideredGrant } from "../../../policies/authoring/explanation.ts";
import type { RulePlace } from "../../../policies/authoring/rule-places.ts";
import { describeVerdict, nameCall } from "../../../policies/authoring/unit-tests.ts";
import { showControls } from "../problem-report.ts";

export interface Placed {
  readonly directory: string;
  readonly places: ReadonlyMap<string, RulePlace>;
}

const sentences = {
  granted: "a grant allows it",
  observed: "it is denied, but the binding only observes and the tool is marked read_only",
  no_grant: "no grant names it: for the agent it does not exist",
  flow: "a flow rule took it away: for the agent it does not exist any more",
  condition_false: "a grant names it, but its condition is false",
  condition_error: "a grant names it, but its condition cannot be evaluated",
  limit_reached: "a grant names it, but it is used up",
  unreviewed: "a grant names it, but lanyard.lock does not hold it: for the agent it does not exist",
} as const;

export function renderExplanation(explanation: CallExplanation, placed: Placed): string {
  const { call, verdict, advice, labels, credential } = explanation;
  const head = verdict.effect === "allow" ? "ALLOWED" : "DENIED";
  return [
    `${head}  ${nameCall(call)}: ${sentences[verdict.reason]}`,
    `  decision  ${describeVerdict(verdict)}`,
    ...("rule" in verdict ? [renderPlace(verdict.rule, placed)] : []),
    ...(credential === undefined ? [] : [`  the server is shown  ${credential}`]),
    ...(labels.length === 0 ? [] : [`  the session has asked for  ${labels.join(", ")} content`]),
    "",
  ]
    .map(showLines)
    .join("\n")
    .concat(
      renderConsidered(explanation, placed),
      `What would change it\n${advice.map((each) => `  - ${showControls(each)}\n`).join("")}`,
    );
}

/** What each grant that names the call said, with its place. */
export function renderConsidered({ considered }: CallExplanation, placed: Placed): string {
  return considered.map((grant) => renderGrant(grant, placed)).join("");
}

const said = {
  allows: "allows it",
  condition_false: "its condition is false",
  condition_error: "its condition cannot be evaluated",
  limit_reached: "it is used up",
} as const;

function renderGrant({ rule, says, condition, limit }: ConsideredGrant, placed: Placed): string {
  const lines = [
    `${rule}: ${said[says]}  ${placeOf(rule, placed)}`,
    ...(condition === undefined ? [] : [`  when   ${condition.source}  → ${condition.value}`]),
    ...(condition?.saw ?? []).map(({ name, value }) => `         ${name} = ${value ?? "(missing)"}`),
    ...(limit === undefined ? [] : [`  limit  ${limit.used} of ${limit.calls} calls used`]),
  ];
  return `${lines.map(showLines).join("\n")}\n`;
}

function placeOf(rule: string, { directory, places }: Placed): string {
  const place = places.get(rule);
  return place === undefined ? "" : `${join(directory, place.file)}:${place.line}:${place.column}`;
}

function renderPlace(rule: string, placed: Placed): string {
  const text = placed.places.get(rule)?.text ?? "";
  return `  rule      ${rule}  ${placeOf(rule, placed)}\n${text.replaceAll(/^/gm, "    | ")}`;
}

/** Line breaks are the command's own or a document's, every other control character becomes visible. */
function showLines(text: string): string {
  return text.split("\n").map(showControls).join("\n");
}
