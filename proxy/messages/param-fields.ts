/**
 * `Mcp-Param-*`: arguments that a tool's definition asks to see as header fields (`x-mcp-header`).
 * They are made from the arguments that were decided on and from the definition as the server listed it; what the
 * client sent is only compared with them. Of a tool whose definition is not known yet nothing is sent: the server
 * then answers that they are missing, and the client lists the tools and comes again.
 */
import type { Json } from "../../audit/canonical.ts";
import { isObject } from "./envelope.ts";
import { decodeFieldValue, encodeFieldValue, type Fields } from "./fields.ts";

export interface ParamField {
  /** The field's name in lower case. */
  readonly field: string;
  /** Where in the arguments its value stands. */
  readonly path: readonly string[];
}

const PREFIX = "mcp-param-";
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;

/** What a definition declares. Only steps through `properties` count; a declaration that is not well-formed is none. */
export function findParamFields(inputSchema: Json | undefined, path: readonly string[] = []): ParamField[] {
  if (!isObject(inputSchema)) {
    return [];
  }
  const declared = inputSchema["x-mcp-header"];
  const own =
    typeof declared === "string" && TOKEN.test(declared) && path.length > 0
      ? [{ field: PREFIX + declared.toLowerCase(), path }]
      : [];
  const properties = inputSchema["properties"];
  const nested = isObject(properties) ? Object.entries(properties) : [];
  return [...own, ...nested.flatMap(([name, schema]) => findParamFields(schema, [...path, name]))];
}

export type ParamFields =
  | { readonly ok: true; readonly fields: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly detail: string };

export function buildParamFields(
  declared: readonly ParamField[],
  args: Json | undefined,
  sent: Fields,
): ParamFields {
  const fields = new Map<string, string>();
  for (const { field, path } of declared) {
    const text = writeArgument(findArgument(args, path));
    const field0 = sent.get(field);
    if (text === undefined) {
      continue;
    }
    if (field0 === undefined || !isSame(decodeFieldValue(field0), text)) {
      return { ok: false, detail: `${field} is not what the body's arguments say` };
    }
    fields.set(field, encodeFieldValue(text));
  }
  return { ok: true, fields };
}

function findArgument(args: Json | undefined, path: readonly string[]): Json | undefined {
  let value = args;
  for (const name of path) {
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

function writeArgument(value: Json | undefined): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
      return String(value);
    default:
      return undefined;
  }
}

/** Integers may be written differently and mean the same. */
function isSame(sent: string | undefined, own: string): boolean {
  return (
    sent === own || (sent !== undefined && /^-?[0-9]+(?:\.0+)?$/.test(sent) && String(Number(sent)) === own)
  );
}
