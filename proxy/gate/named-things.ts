/**
 * What MCP names, and where the name stands: in a server's lists, and in the requests of an agent. Whatever is decided,
 * shown, recorded or refused by a name goes by these two tables, whichever kind it is of.
 */
import type { Json } from "../../audit/canonical.ts";
import type { Target } from "../../policies/decision.ts";
import { SET_LEVEL } from "../messages/asks.ts";
import { isName, isObject, type JsonObject } from "../messages/envelope.ts";

/** What servers list. */
export type Kind = Exclude<Target["kind"], "ask">;

export const KINDS: readonly Kind[] = ["tool", "resource", "prompt"];

export interface Listing {
  readonly method: string;
  /** Of the result: the array of definitions. */
  readonly member: string;
  /** Of a definition: what grants name. A template goes by its own text, which only a prefix can cover. */
  readonly nameMember: "name" | "uri" | "uriTemplate";
  readonly kind: Kind;
  /** The list's name on the log. */
  readonly list: "tools" | "resources" | "resource_templates" | "prompts";
}

export const TOOLS: Listing = {
  ...{ method: "tools/list", member: "tools", nameMember: "name", kind: "tool", list: "tools" },
};

export const LISTINGS: readonly Listing[] = [
  TOOLS,
  {
    ...{ method: "resources/list", member: "resources", nameMember: "uri" },
    ...{ kind: "resource", list: "resources" },
  },
  {
    ...{ method: "resources/templates/list", member: "resourceTemplates", nameMember: "uriTemplate" },
    ...{ kind: "resource", list: "resource_templates" },
  },
  { method: "prompts/list", member: "prompts", nameMember: "name", kind: "prompt", list: "prompts" },
];

/** What a request names, or which ask it is of, as far as it says it in a form that every reader takes for the same. */
export interface Naming {
  readonly kind: Target["kind"];
  readonly name: string;
  /** What conditions decide on; anything but an object is no call of this kind. */
  readonly args: Json;
  /** What the log holds of them. */
  readonly logged: Json | undefined;
}

export interface NamedMethod {
  /** How a well-formed request looks: the end of a sentence. */
  readonly takes: string;
  read(params: JsonObject): Naming | undefined;
}

const readName =
  (kind: Kind): NamedMethod["read"] =>
  ({ name, arguments: args }) =>
    typeof name === "string" ? { kind, name, args: args === undefined ? {} : args, logged: args } : undefined;

const RESOURCE: NamedMethod = {
  takes: "a uri",
  read: ({ uri }) =>
    typeof uri === "string" ? { kind: "resource", name: uri, args: {}, logged: undefined } : undefined,
};

export const UNSUBSCRIBE = "resources/unsubscribe";
export const SUBSCRIBE = "resources/subscribe";

export const NAMED_METHODS: ReadonlyMap<string, NamedMethod> = new Map([
  ["tools/call", { takes: "a name and an object of arguments", read: readName("tool") }],
  ["prompts/get", { takes: "a name and an object of arguments", read: readName("prompt") }],
  ["resources/read", RESOURCE],
  [SUBSCRIBE, RESOURCE],
  [UNSUBSCRIBE, RESOURCE],
  [
    SET_LEVEL,
    {
      takes: "a level",
      read: ({ level }) =>
        typeof level === "string"
          ? { kind: "ask", name: "logging", args: { level }, logged: { level } }
          : undefined,
    },
  ],
  ["completion/complete", { takes: "a ref, an argument and no more than MCP defines", read: readCompletion }],
]);

/**
 * A completion says something of what it is for, so it is decided as the use of it would be: with the arguments that
 * are known so far. Members that MCP does not define are none: a server could take them for the ones that decide.
 */
function readCompletion({ ref, argument, context }: JsonObject): Naming | undefined {
  const known = readContext(context);
  if (!isObject(ref) || !isObject(argument) || known === undefined || !hasOnly(argument, ["name", "value"])) {
    return undefined;
  }
  const { name, value } = argument;
  if (typeof name !== "string" || typeof value !== "string") {
    return undefined;
  }
  const args = { ...known, [name]: value };
  if (ref["type"] === "ref/prompt" && isName(ref["name"]) && hasOnly(ref, ["type", "name", "title"])) {
    return { kind: "prompt", name: ref["name"], args, logged: args };
  }
  if (ref["type"] === "ref/resource" && isName(ref["uri"]) && hasOnly(ref, ["type", "uri"])) {
    return { kind: "resource", name: ref["uri"], args, logged: args };
  }
  return undefined;
}

function readContext(context: Json | undefined): JsonObject | undefined {
  if (context === undefined) {
    return {};
  }
  const { arguments: args = {} } = isObject(context) ? context : {};
  return isObject(context) && isObject(args) && hasOnly(context, ["arguments"]) ? args : undefined;
}

function hasOnly(members: JsonObject, names: readonly string[]): boolean {
  return Object.keys(members).every((name) => names.includes(name));
}
