/**
 * A list of tools on its way to the agent: what an agent must not see is cut out; what stays, stays byte for byte
 * unless it hides something, with every member that nobody here knows and the cursor of the next page.
 */
import { type Json } from "../../audit/canonical.ts";
import { digestDefinition } from "../../policies/lock/definition.ts";
import type { Limits } from "../limits.ts";
import { isObject, type JsonObject } from "../messages/envelope.ts";
import { readJson } from "../messages/json-reading.ts";
import { findElements, readSpan, toCharacters } from "../messages/json-spans.ts";
import { findMembersOf, replaceInMessage, type ServerAnswer } from "../messages/server-message.ts";
import { makePrivate } from "./capabilities.ts";

export interface ToolList {
  readonly message: ServerAnswer;
  /** As the server listed them, the hidden ones too. */
  readonly definitions: readonly ToolDefinition[];
  readonly nextCursor: string | undefined;
}

export interface ToolDefinition {
  readonly name: string;
  readonly definition: JsonObject;
  readonly digest: string;
}

/** What can be called has no longer one. */
const MAX_NAME_LENGTH = 512;

/**
 * `show` gives the text of a tool as the agent sees it, nothing for one that it does not. `undefined` for a list that
 * two readers could take differently, or with more tools than can be known.
 */
export function filterToolList(
  answer: ServerAnswer,
  { maxDepth, maxTools }: Pick<Limits, "maxDepth" | "maxTools">,
  show: (tool: ToolDefinition, text: string) => string | undefined,
): ToolList | undefined {
  const members = findMembersOf(answer, "result");
  const list = members?.get("tools");
  const elements = list === undefined ? undefined : findElements(answer.text, list.start);
  if (members === undefined || list === undefined || elements === undefined) {
    return undefined;
  }
  if (elements.length > maxTools) {
    return undefined;
  }
  const definitions: ToolDefinition[] = [];
  const kept: string[] = [];
  let isUntouched = true;
  for (const { start, end } of elements) {
    const text = answer.text.slice(start, end);
    const definition = readDefinition(text, maxDepth);
    if (definition === undefined) {
      return undefined;
    }
    definitions.push(definition);
    const shown = show(definition, text);
    isUntouched &&= shown === text;
    if (shown !== undefined) {
      kept.push(shown);
    }
  }
  const cursor = members.get("nextCursor");
  const nextCursor = cursor === undefined ? undefined : readSpan(answer.text, cursor);
  return {
    message: makePrivate(isUntouched ? answer : replaceInMessage(answer, list, `[${kept.join(",")}]`)),
    definitions,
    nextCursor: typeof nextCursor === "string" ? nextCursor : undefined,
  };
}

function readDefinition(text: string, maxDepth: number): ToolDefinition | undefined {
  const reading = readJson(toCharacters(text), { maxDepth, numbers: "any" });
  const definition: Json = reading.ok ? reading.value : null;
  const name = isObject(definition) ? definition["name"] : undefined;
  const isNamed = typeof name === "string" && name.length <= MAX_NAME_LENGTH;
  return isObject(definition) && isNamed
    ? { name, definition, digest: digestDefinition(definition) }
    : undefined;
}
