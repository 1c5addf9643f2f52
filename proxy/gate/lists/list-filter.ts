/**
 * A server's list on its way to the agent: what an agent must not see is cut out; what stays, stays byte for byte
 * unless it hides something, with every member that nobody here knows. How the list is written does not tell whether
 * anything was cut.
 */
import { hash } from "node:crypto";
import { canonicalize, type Json } from "../../../audit/canonical.ts";
import { digestDefinition } from "../../../policies/lock/definition.ts";
import { cleanDefinition, type Cleaned } from "../../inspection/definition-cleaning.ts";
import type { Limits } from "../../limits.ts";
import { isObject, type JsonObject } from "../../messages/envelope.ts";
import { readJson } from "../../messages/json-reading.ts";
import { toCharacters } from "../../messages/json-spans.ts";
import { replaceInMessage, type ServerAnswer } from "../../messages/server-message.ts";
import { makePrivate } from "../sessions/capabilities.ts";
import { readPage } from "./list-pages.ts";
import type { Listing } from "../named-things.ts";

export interface FilteredList {
  readonly message: ServerAnswer;
  /** As the server listed them, the hidden ones too. */
  readonly definitions: readonly Definition[];
  readonly shown: readonly Definition[];
}

export interface Definition {
  readonly name: string;
  readonly definition: JsonObject;
  readonly digest: string;
  /** As an agent gets it that sees it. */
  readonly cleaned: Cleaned;
}

export interface Filter {
  readonly listing: Listing;
  readonly limits: Pick<Limits, "maxDepth" | "maxListed">;
  isVisible(definition: Definition): boolean;
}

/** What can be called has no longer one. */
const MAX_NAME_LENGTH = 512;
/** Of anything but a tool: what says what it is. When it changed last says nothing of that. */
const DESCRIBING = ["name", "title", "uri", "uriTemplate", "description", "mimeType", "arguments"];

/** `undefined` for a list that two readers could take differently, that is not whole, or longer than can be known. */
export function filterList(answer: ServerAnswer, filter: Filter): FilteredList | undefined {
  const { listing, limits } = filter;
  const page = readPage(answer, listing);
  if (page === undefined || page.cursor !== undefined || page.entries.length > limits.maxListed) {
    return undefined;
  }
  const definitions: Definition[] = [];
  for (const { start, end } of page.entries) {
    const definition = readDefinition(answer.text.slice(start, end), listing, limits.maxDepth);
    if (definition === undefined) {
      return undefined;
    }
    definitions.push(definition);
  }
  const shown = definitions.filter((definition) => filter.isVisible(definition));
  const written = `[${shown.map(({ cleaned }) => cleaned.text).join(",")}]`;
  const { list } = page;
  const isUntouched = answer.text.slice(list.start, list.end) === written;
  return {
    message: makePrivate(isUntouched ? answer : replaceInMessage(answer, list, written)),
    ...{ definitions, shown },
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
  if (!isObject(definition) || typeof name !== "string" || name.length > MAX_NAME_LENGTH) {
    return undefined;
  }
  const digest = kind === "tool" ? digestDefinition(definition) : digestOther(definition);
  return { name, definition, digest, cleaned: cleanDefinition(text) };
}

function digestOther(definition: JsonObject): string {
  const members = DESCRIBING.flatMap((name) => {
    const member = definition[name];
    return member === undefined ? [] : [[name, member] as const];
  });
  return hash("sha256", canonicalize(Object.fromEntries(members)), "hex");
}
