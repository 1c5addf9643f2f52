/**
 * What a schema found wrong, as a sentence that says what to change.
 * Nothing here looks at the text of another message: only at codes, and at the value as it was written.
 */
import type * as z from "zod/mini";
import { suggestNames } from "./nearest-name.ts";
import type { Path } from "./problem.ts";
import { findDescription, findSchema, isConcealed, listKeys, listOptions, memberOf } from "./schema-path.ts";

export interface Finding {
  readonly path: Path;
  /** Whether the key itself is meant, not its value. */
  readonly atKey: boolean;
  readonly message: string;
}

/** The document that was checked, and what it was checked against. */
export interface Checked {
  readonly schema: z.core.$ZodType;
  readonly data: unknown;
  sourceOf(path: Path): string | undefined;
}

/** One issue gives one finding, or one for each unknown key. */
export function describeIssue(issue: z.core.$ZodIssue, checked: Checked): Finding[] {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  const value = path.reduce(memberOf, checked.data);
  const schema = findSchema(checked.schema, path, checked.data);
  const finding = (message: string): Finding => ({ path, atKey: false, message });
  if (issue.code !== "invalid_key" && isConcealed(schema) && value !== undefined) {
    return [finding(typeof value === "string" ? issue.message : "expected text: write it in quotes")];
  }
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = listKeys(schema);
      return issue.keys.map((key) => ({
        path: [...path, key],
        atKey: true,
        message: `unknown key "${key}": ${suggestNames(key, known)}`,
      }));
    }
    case "invalid_key":
      return [
        { path, atKey: true, message: `"${path.at(-1)}": ${issue.issues[0]?.message ?? issue.message}` },
      ];
    case "invalid_type":
      return [
        finding(
          value === undefined
            ? describeMissing(path, findDescription(schema))
            : describeType({
                expected: issue.expected,
                value,
                source: checked.sourceOf(path) ?? "",
                keys: listKeys(schema),
              }),
        ),
      ];
    case "invalid_value": {
      if (value === undefined) {
        return [finding(describeMissing(path, findDescription(schema)))];
      }
      const known = issue.values.map(String);
      return [finding(`${nameType(value)}: expected ${known.join(" or ")}`)];
    }
    case "too_small":
      return [finding(describeTooSmall(issue))];
    case "invalid_format":
      return [finding(`${nameType(value)}: ${issue.message}`)];
    case "invalid_union": {
      const options = listOptions(findSchema(checked.schema, path.slice(0, -1), checked.data));
      return options.length === 0
        ? [finding(issue.message)]
        : [
            finding(
              value === undefined
                ? `"${path.at(-1)}" is missing: write ${options.join(" or ")}`
                : `${nameType(value)}: ${suggestNames(typeof value === "string" ? value : "", options)}`,
            ),
          ];
    }
    case "too_big":
    case "not_multiple_of":
    case "invalid_element":
    case "custom":
      return [finding(issue.message)];
  }
}

function describeMissing(path: Path, description: string | undefined): string {
  return `"${path.at(-1)}" is missing${description === undefined ? "" : `. ${description}`}`;
}

function describeTooSmall({ origin, message }: z.core.$ZodIssueTooSmall): string {
  switch (origin) {
    case "array":
      return "the list is empty: add an entry";
    case "string":
      return "this is empty: write a value";
    default:
      return message;
  }
}

interface WrongType {
  readonly expected: string;
  readonly value: unknown;
  readonly source: string;
  /** Those that would be there. */
  readonly keys: readonly string[];
}

function describeType({ expected, value, source, keys }: WrongType): string {
  const got = nameType(value);
  if (value === null) {
    return "nothing stands here: write a value, or remove the key";
  }
  switch (expected) {
    case "string":
      return typeof value === "object"
        ? `expected text, got ${got}`
        : `expected text, got ${got}: write it in quotes, "${source}"`;
    case "array":
      return typeof value === "string" ? `expected a list: [${value}]` : `expected a list, got ${got}`;
    case "boolean":
      return `expected true or false, got ${got}`;
    case "number":
    case "int":
      return `expected a whole number, got ${got}`;
    default:
      // Of a single key it is plain where the value belongs.
      return keys.length === 1 && typeof value !== "object"
        ? `expected keys with values, got ${got}: write it as { ${keys[0]}: ${source} }`
        : `expected keys with values, got ${got}`;
  }
}

function nameType(value: unknown): string {
  if (Array.isArray(value)) {
    return "a list";
  }
  switch (typeof value) {
    case "string":
      return `"${value}"`;
    case "object":
      return value === null ? "nothing" : "keys with values";
    default:
      return `the ${typeof value} ${String(value)}`;
  }
}
