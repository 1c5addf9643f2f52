/**
 * The changes of a lock as text for a terminal or a pull request: one line for each thing that a reviewer decides on.
 * What servers wrote is shown with every invisible character as an escape, on one line, and bounded.
 */
import type { LockChange, ToolChange } from "./changes.ts";
import { compareSchemas, type SchemaChange } from "./schema-changes.ts";
import type { TextPart } from "./text-difference.ts";
import { escapeInvisible } from "./visible-text.ts";

export function renderLockChanges(changes: readonly LockChange[]): string {
  return [...Map.groupBy(changes, ({ server }) => server)]
    .map(([server, ofServer]) => `${[server, ...ofServer.flatMap(renderChange)].join("\n")}\n`)
    .join("\n");
}

function renderChange(change: LockChange): string[] {
  switch (change.kind) {
    case "server_added":
      return [`  + new server with ${count(change.tools.length, "tool")}`];
    case "server_removed":
      return [`  - server is gone, with ${count(change.tools.length, "tool")}`];
    case "instructions":
      return [`  ~ instructions: ${renderText(change.text)}`];
    case "tool_added": {
      const { title, description, inputSchema } = change.definition;
      const told = description ?? title;
      return [
        `  + ${show(change.tool)}: new${told === undefined ? "" : `: ${shorten(show(told), longestDescription)}`}`,
        ...compareSchemas({}, inputSchema ?? {}).flatMap((each) =>
          each.kind === "parameter_added" ? [`      ${renderSchemaChange(each, "parameter")}`] : [],
        ),
      ];
    }
    case "tool_removed":
      return [`  - ${show(change.tool)}: gone`];
    case "tool_changed":
      return [`  ~ ${show(change.tool)}`, ...change.changes.map((each) => `      ${renderToolChange(each)}`)];
  }
}

function renderToolChange(change: ToolChange): string {
  switch (change.kind) {
    case "title":
    case "description":
      return `${change.kind}: ${renderText(change.text)}`;
    case "annotation":
      return `annotation ${show(change.name)}: ${showValue(change.before)} → ${showValue(change.after)}`;
    case "result":
      return `result: ${renderSchemaChange(change.change, "member")}`;
    default:
      return renderSchemaChange(change, "parameter");
  }
}

function renderSchemaChange(change: SchemaChange, what: "parameter" | "member"): string {
  const subject = change.parameter === "" ? `the ${what}s` : `${what} ${show(change.parameter)}`;
  const verb = change.parameter === "" ? "have" : "has";
  switch (change.kind) {
    case "parameter_added":
      return [
        `${subject} is new (${show(change.type)}, ${change.required ? "required" : "optional"})`,
        ...(change.description === "" ? [] : [shorten(show(change.description), longestDescription)]),
      ].join(": ");
    case "parameter_removed":
      return `${subject} is gone`;
    case "parameter_required":
      return `${subject} is now required`;
    case "parameter_optional":
      return `${subject} is now optional`;
    case "parameter_type":
      return `${subject} ${verb} another type: ${show(change.before)} → ${show(change.after)}`;
    case "parameter_description":
      return `${subject} ${verb} another description: ${renderText(change.text)}`;
    case "parameter_rules":
      return `${subject} ${verb} another ${show(change.member)}: ${showValue(change.before)} → ${showValue(change.after)}`;
  }
}

/** Characters that a value may fill. */
const longestValue = 160;
/** Characters of what an agent would read for the first time: all of it, unless somebody writes a book. */
const longestDescription = 2_000;
/** Words of what stayed that are shown beside what changed. */
const contextWords = 6;

/** `[-gone-]` and `{+came+}`, as `git diff --word-diff` writes it; of what stayed, the words beside. */
function renderText(parts: readonly TextPart[]): string {
  return parts
    .map(({ kind, text }, index) => {
      switch (kind) {
        case "removed":
          return `[-${show(text).trimEnd()}-] `;
        case "added":
          return `{+${show(text).trimEnd()}+} `;
        case "same":
          return renderContext(show(text), { isFirst: index === 0, isLast: index === parts.length - 1 });
      }
    })
    .join("")
    .trim();
}

function renderContext(text: string, { isFirst, isLast }: { isFirst: boolean; isLast: boolean }): string {
  const words = text.split(" ");
  const before = isFirst ? [] : words.slice(0, contextWords);
  const after = isLast ? [] : words.slice(-contextWords - 1);
  return before.length + after.length >= words.length
    ? text
    : `${[...before, "…"].join(" ")}${isLast ? "" : ` ${after.join(" ")}`}`;
}

function show(text: string): string {
  return escapeInvisible(text.replaceAll("\n", "⏎ "));
}

function showValue(value: unknown): string {
  return value === undefined ? "nothing" : shorten(show(JSON.stringify(value)), longestValue);
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
