/**
 * JSON as a token or an issuer's document may carry it: one object in which no name appears twice, so that no two
 * readers can disagree, and which is not nested deeper than any of them needs to be.
 */

/** Strings and structure; the rest of valid JSON cannot hold a name. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;
/** GitHub's claims are flat, key sets have two levels. What is deep breaks whoever walks through it by recursion. */
const MAX_DEPTH = 16;

/** Undefined when the text is not JSON, not an object, is nested too deep, or repeats a name anywhere. */
export function parseStrictObject(text: string): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  return isFlat(text) && isWrittenAs(text, value) ? value : isAmbiguous(text) ? undefined : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** With so few brackets it is not too deep, whatever they enclose. */
function isFlat(text: string): boolean {
  let brackets = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      brackets += 1;
      if (brackets > MAX_DEPTH) return false;
    }
  }
  return true;
}

/** What was read has each name once, so a text that it is written as has, too: so do those of every issuer known. */
function isWrittenAs(text: string, value: object): boolean {
  return JSON.stringify(value) === text;
}

/** For valid JSON. Works on the written text, as `JSON.parse` has already forgotten all but the last. */
function isAmbiguous(text: string): boolean {
  const open: (Set<unknown> | "array")[] = [];
  let nameIsNext = false;
  for (const [token] of text.matchAll(TOKENS)) {
    const container = open.at(-1);
    if (token === "{" || token === "[") {
      if (open.length >= MAX_DEPTH) return true;
      open.push(token === "{" ? new Set() : "array");
      nameIsNext = token === "{";
    } else if (token === "}" || token === "]") {
      open.pop();
      nameIsNext = false;
    } else if (token === ",") {
      nameIsNext = container !== "array";
    } else if (nameIsNext && container instanceof Set) {
      const name: unknown = JSON.parse(token);
      if (container.has(name)) return true;
      container.add(name);
      nameIsNext = false;
    }
  }
  return false;
}
