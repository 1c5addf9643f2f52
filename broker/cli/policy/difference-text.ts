/** What a change gains and loses, as a person reads it in a terminal or a log. */
import type { Change, Holder } from "../../../policies/authoring/change.ts";
import type { PolicyDifference } from "../../../policies/authoring/difference.ts";
import { showControls } from "../problem-report.ts";
import { count } from "./answer.ts";

const shownRuns = 3;
const shownRobots = 5;

/** One line: it comes first, and is all that some will read. */
export function summarize({ changes, gaining, losing, robots: compared }: PolicyDifference): string {
  const numberOf = (effect: Change["effect"]) => changes.filter((change) => change.effect === effect).length;
  const others = numberOf("changed");
  if (compared === 0) {
    return "Neither side has a robot: there is nothing to compare.";
  }
  if (changes.length === 0) {
    return "Nothing is gained, nothing is lost: every session can do what it could.";
  }
  const robots = (number: number) => (number === 0 ? "" : ` (${count(number, "robot")})`);
  return [
    `${numberOf("gained")} gained${robots(gaining.length)}`,
    `${numberOf("lost")} lost${robots(losing.length)}`,
    ...(others === 0 ? [] : [`${others} other`]),
  ].join(", ");
}

export function renderText(difference: PolicyDifference): string {
  const blocks = difference.changes.map((change) => {
    const lines = [
      `${change.effect.toUpperCase().padEnd(8)}${describeWhat(change)}`,
      ...describeHolders(change).map((line) => `  ${line}`),
      `    before  ${change.before ?? "–"}`,
      `    after   ${change.after ?? "–"}`,
    ];
    return `${lines.map(showControls).join("\n")}\n`;
  });
  return [`${summarize(difference)}\n`, ...blocks].join("\n");
}

/** `github: tools get_issue, list_*`. */
export function describeWhat({ server, subject, what }: Change): string {
  const isOne = !what.includes(", ");
  const words = {
    tool: isOne ? "tool " : "tools ",
    resource: isOne ? "resource " : "resources ",
    prompt: isOne ? "prompt " : "prompts ",
    ask: "asks for ",
    limits: "limits of ",
    flow: "flow: ",
    session: "session ",
    server: "server's ",
    credential: what === "credential" ? "" : "credential's ",
    labels: "labels of ",
    lock: "lock: ",
  };
  return `${server === undefined ? "" : `${server}: `}${words[subject]}${what}`;
}

export function describeHolders({ holders }: Pick<Change, "holders">): string[] {
  if (holders.length === 0) {
    return ["every session that reaches the server"];
  }
  const shown = holders.slice(0, shownRobots).map(describeHolder);
  const more = holders.length - shown.length;
  return more === 0 ? shown : [...shown, `and ${count(more, "more robot")}`];
}

function describeHolder({ robot, runs }: Holder): string {
  if (runs === undefined) {
    return `${robot}: all its runs`;
  }
  const more = runs.length - shownRuns;
  return `${robot}: ${runs.slice(0, shownRuns).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
