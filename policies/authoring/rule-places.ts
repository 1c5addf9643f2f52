/**
 * Where each rule of roles.yaml stands, and how it is written there: `triager#2` → its file, line, column and lines.
 */
import { type PolicyFile, readDocument } from "../documents/document.ts";
import { RolesDocument } from "../documents/roles-document.ts";

export interface RulePlace {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** The rule as it is written, its margin removed. */
  readonly text: string;
}

const longestText = 20;

/** By the name of the rule. Empty where the document does not load. */
export function placeRules(files: readonly PolicyFile[]): ReadonlyMap<string, RulePlace> {
  const file = files.find(({ path }) => path === "roles.yaml");
  const read = file && readDocument(RolesDocument, file);
  if (file === undefined || !read?.ok) {
    return new Map();
  }
  const lines = file.text.split(/\r?\n/);
  const { document } = read;
  const place = (...path: (string | number)[]): RulePlace => {
    const { line, column } = document.problemAt(path, "");
    return { file: file.path, line, column, text: excerpt(lines, line, column) };
  };
  return new Map(
    Object.entries(document.value.roles).flatMap(([role, { grants, flow = [] }]) => [
      ...grants.map((_, index): [string, RulePlace] => [
        `${role}#${index + 1}`,
        place("roles", role, "grants", index),
      ]),
      ...flow.map((_, index): [string, RulePlace] => [
        `${role}~${index + 1}`,
        place("roles", role, "flow", index),
      ]),
    ]),
  );
}

/** From the rule's first line on, what is indented as deep as it begins. */
function excerpt(lines: readonly string[], line: number, column: number): string {
  const margin = column - 1;
  const [first = "", ...rest] = lines.slice(line - 1);
  const end = rest.findIndex((each) => each.trim() !== "" && each.search(/\S/) < margin);
  const inner = rest.slice(0, end < 0 ? rest.length : end).slice(0, longestText);
  return [first.slice(margin), ...inner.map((each) => each.slice(margin))].join("\n").trimEnd();
}
