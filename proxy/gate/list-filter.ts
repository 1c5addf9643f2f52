/**
 * One page of a server's list on its way to the agent: what an agent must not see is cut out; what stays, stays byte
 * for byte unless it hides something, with every member that nobody here knows.
 */
import { hash } from "node:crypto";
import { canonicalize, type Json } from "../../audit/canonical.ts";
import { digestDefinition } from "../../policies/lock/definition.ts";
import type { Limits } from "../limits.ts";
import { isObject, type JsonObject } from "../messages/envelope.ts";
import { readJson } from "../messages/json-reading.ts";
import { findElements, readSpan, toCharacters } from "../messages/json-spans.ts";
import { findMembersOf, replaceInMessage, type ServerAnswer } from "../messages/server-message.ts";
import { makePrivate } from "./capabilities.ts";
import type { Listing } from "./named-things.ts";

export interface FilteredList {
  readonly message: ServerAnswer;
  /** As the server listed them, the hidden ones too. */
  readonly definitions: readonly Definition[];
  /** The server's own. */
  readonly nextCursor: string | undefined;
}

export interface Definition {
  readonly name: string;
  readonly definition: JsonObject;
  readonly digest: string;
}

export interface Filter {
  readonly listing: Listing;
  readonly limits: Pick<Limits, "maxDepth" | "maxListed">;
  /** The text of a definition as the agent sees it, nothing for one that it does not see. */
  show(definition: Definition, text: string): string | undefined;
}

/** What can be called has no longer one. */
const MAX_NAME_LENGTH = 512;
/** Of anything but a tool: what says what it is. When it changed last says nothing of that. */
const DESCRIBING = ["name", "title", "uri", "uriTemplate", "description", "mimeType", "arguments"];

/** `undefined` for a list that two readers could take differently, or that is longer than can be known. */
export function filterList(answer: ServerAnswer, filter: Filter): FilteredList | undefined {
  const { listing, limits } = filter;
  const members = findMembersOf(answer, "result");
  const list = members?.get(listing.member);
  const elements = list === undefined ? undefined : findElements(answer.text, list.start);
  if (members === undefined || list === undefined || elements === undefined) {
    return undefined;
  }
  if (elements.length > limits.maxListed) {
    return undefined;
  }
  const definitions: Definition[] = [];
  const kept: string[] = [];
  let isUntouched = true;
  for (const { start, end } of elements) {
    const text = answer.text.slice(start, end);
    const definition = readDefinition(text, listing, limits.maxDepth);
    if (definition === undefined) {
      return undefined;
    }
    definitions.push(definition);
    const shown = filter.show(definition, text);
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

function readDefinition(
  text: string,
  { kind, nameMember }: Listing,
  maxDepth: number,
): Definition | undefined {
  const reading = readJson(toCharacters(text), { maxDepth, numbers: "any" });
  const definition: Json = reading.ok ? reading.value : null;
  const name = isObject(definition) ? definition[nameMember] : undefined;
  const isNamed = typeof name === "string" && name.length <= MAX_NAME_LENGTH;
  return isObject(definition) && isNamed
    ? { name, definition, digest: kind === "tool" ? digestDefinition(definition) : digestOther(definition) }
    : undefined;
}

function digestOther(definition: JsonObject): string {
  const members = DESCRIBING.flatMap((name) => {
    const member = definition[name];
    return member === undefined ? [] : [[name, member] as const];
  });
  return hash("sha256", canonicalize(Object.fromEntries(members)), "hex");
}
