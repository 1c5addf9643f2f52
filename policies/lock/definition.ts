/**
 * What makes a tool's definition: the members that a person reviews, and one digest over them.
 * The proxy and the lock count with the same function, so a definition cannot be the reviewed one for only one of them.
 */
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** A definition as the server sends it, parsed: whatever else it holds says nothing about what the tool does. */
export type SentDefinition = Readonly<Record<string, unknown>>;

export const DEFINING = [
  "name",
  "title",
  "description",
  "inputSchema",
  "outputSchema",
  "annotations",
] as const;

/** SHA-256 over the canonical form (RFC 8785) of the members that are there, in lower-case hex. */
export function digestDefinition(definition: SentDefinition): string {
  const members = DEFINING.flatMap((name) => {
    const member = definition[name];
    return member === undefined ? [] : [[name, member] as const];
  });
  return digestJson(Object.fromEntries(members));
}

/** Of a server's `instructions`: of the text as it is. */
export function digestInstructions(instructions: string): string {
  return createHash("sha256").update(instructions).digest("hex");
}

function digestJson(value: Readonly<Record<string, unknown>>): string {
  const canonical = canonicalize(value);
  if (canonical === undefined) {
    throw new Error("a tool's definition has no canonical form");
  }
  return createHash("sha256").update(canonical).digest("hex");
}
