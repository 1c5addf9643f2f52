/**
 * What changed between two JSON Schemas of a tool's arguments, parameter by parameter.
 * Two schemas that differ have at least one change: what there is no word for is reported with the members that differ.
 */
import { isDeepStrictEqual } from "node:util";
import { compareTexts, type TextPart } from "./text-difference.ts";

export type SchemaChange =
  /** `parameter` is a path: `filter.state`, `labels[]`; empty for the arguments as a whole. */
  | {
      readonly kind: "parameter_added";
      readonly parameter: string;
      readonly type: string;
      readonly description: string;
      readonly required: boolean;
    }
  | { readonly kind: "parameter_removed"; readonly parameter: string }
  | { readonly kind: "parameter_required" | "parameter_optional"; readonly parameter: string }
  | {
      readonly kind: "parameter_type";
      readonly parameter: string;
      readonly before: string;
      readonly after: string;
    }
  | { readonly kind: "parameter_description"; readonly parameter: string; readonly text: readonly TextPart[] }
  | {
      readonly kind: "parameter_rules";
      readonly parameter: string;
      readonly member: string;
      readonly before: unknown;
      readonly after: unknown;
    };

/** Members that have words of their own. */
const named = new Set(["properties", "required", "type", "description", "items"]);

export function compareSchemas(before: unknown, after: unknown, parameter = ""): SchemaChange[] {
  if (isDeepStrictEqual(before, after)) {
    return [];
  }
  const [old, fresh] = [membersOf(before), membersOf(after)];
  if (old === undefined || fresh === undefined) {
    return [{ kind: "parameter_rules", parameter, member: "schema", before, after }];
  }
  const changes = [...compareType(old, fresh, parameter), ...compareDescription(old, fresh, parameter)];
  const others = [...new Set([...old.keys(), ...fresh.keys()])].filter((member) => !named.has(member));
  for (const member of others) {
    if (!isDeepStrictEqual(old.get(member), fresh.get(member))) {
      const [was, is] = [old.get(member), fresh.get(member)];
      changes.push({ kind: "parameter_rules", parameter, member, before: was, after: is });
    }
  }
  changes.push(...compareProperties(old, fresh, parameter));
  if (old.has("items") || fresh.has("items")) {
    changes.push(...compareSchemas(old.get("items") ?? {}, fresh.get("items") ?? {}, `${parameter}[]`));
  }
  // `required` says more than which parameters there are: what it names beside them differs too.
  return changes.length > 0
    ? changes
    : [{ kind: "parameter_rules", parameter, member: "schema", before, after }];
}

type Members = ReadonlyMap<string, unknown>;
const none: Members = new Map();

function compareProperties(old: Members, fresh: Members, parameter: string): SchemaChange[] {
  const [was, is] = [membersOf(old.get("properties")) ?? none, membersOf(fresh.get("properties")) ?? none];
  const [needed, needs] = [listRequired(old), listRequired(fresh)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name): SchemaChange[] => {
    const path = parameter === "" ? name : `${parameter}.${name}`;
    if (!is.has(name)) {
      return [{ kind: "parameter_removed", parameter: path }];
    }
    const schema = is.get(name);
    if (!was.has(name)) {
      return [{ kind: "parameter_added", parameter: path, required: needs.has(name), ...describe(schema) }];
    }
    return [
      ...(needed.has(name) === needs.has(name)
        ? []
        : [
            {
              kind: needs.has(name) ? ("parameter_required" as const) : ("parameter_optional" as const),
              parameter: path,
            },
          ]),
      ...compareSchemas(was.get(name), schema, path),
    ];
  });
}

/** What a reviewer needs to know of a parameter that is new: its description is read by the agent, too. */
function describe(schema: unknown): { readonly type: string; readonly description: string } {
  const members = membersOf(schema);
  return { type: typeOf(members), description: textOf(members?.get("description")) };
}

function compareType(old: Members, fresh: Members, parameter: string): SchemaChange[] {
  const [before, after] = [typeOf(old), typeOf(fresh)];
  return before === after ? [] : [{ kind: "parameter_type", parameter, before, after }];
}

function compareDescription(old: Members, fresh: Members, parameter: string): SchemaChange[] {
  const [before, after] = [textOf(old.get("description")), textOf(fresh.get("description"))];
  return before === after
    ? []
    : [{ kind: "parameter_description", parameter, text: compareTexts(before, after) }];
}

function typeOf(schema: Members | undefined): string {
  const type = schema?.get("type");
  return type === undefined ? "any type" : Array.isArray(type) ? type.map(String).join(" or ") : textOf(type);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
}

function listRequired(schema: Members): ReadonlySet<unknown> {
  const required = schema.get("required");
  return new Set<unknown>(Array.isArray(required) ? required : []);
}

/** Undefined for what is no object. */
export function membersOf(value: unknown): Members | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? new Map<string, unknown>(Object.entries(value))
    : undefined;
}
