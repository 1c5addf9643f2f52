/**
 * The parameters of what a server says, read as a whole: for what is decided on them, and goes on the log.
 */
import { isObject, type JsonObject } from "./envelope.ts";
import { readJson } from "./json-reading.ts";
import { toCharacters } from "./json-spans.ts";
import type { ServerMessage } from "./server-message.ts";

/** Nothing of one that has none; undefined where they are no object, or two readers could take them differently. */
export function readParams(message: ServerMessage, maxDepth: number): JsonObject | undefined {
  const span = message.members.get("params");
  return span === undefined ? {} : readMembers(message.text.slice(span.start, span.end), maxDepth);
}

/** Of an object that is written in bytes. */
export function readMembers(written: string, maxDepth: number): JsonObject | undefined {
  const reading = readJson(toCharacters(written), { maxDepth, numbers: "any" });
  return reading.ok && isObject(reading.value) ? reading.value : undefined;
}
