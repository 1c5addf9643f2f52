/**
 * JSON that stands in a lock as text: read only in the one form in which it is written.
 * So nothing in it has two meanings: no name twice, no number that is cut, no character that hides.
 */
import { renderJson } from "./visible-text.ts";

/** No schema needs more, and what writes JSON again is recursive. */
export const MAX_JSON_DEPTH = 64;

export type ReadJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

export function readJson(text: string): ReadJson {
  if (measureDepth(text) > MAX_JSON_DEPTH) {
    return { ok: false, message: `more than ${MAX_JSON_DEPTH} levels of nesting: no schema needs that` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, message: "this is no JSON: run lanyard policy lock, and change nothing by hand" };
  }
  return renderJson(value) === text
    ? { ok: true, value }
    : {
        ok: false,
        message:
          "this JSON is not written as lanyard policy lock writes it: run it, and change nothing by hand",
      };
}

/** Of brackets outside of strings; at least the depth of what is valid. */
function measureDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === "\\") {
        index++;
      } else if (character === '"') {
        inString = false;
      }
    } else if (character === '"') {
      inString = true;
    } else if (character === "{" || character === "[") {
      deepest = Math.max(deepest, ++depth);
    } else if (character === "}" || character === "]") {
      depth--;
    }
  }
  return deepest;
}

/** Of a parsed value, without recursion. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= MAX_JSON_DEPTH; depth++) {
    level = level.flatMap((each): unknown[] =>
      typeof each === "object" && each !== null ? Object.values(each) : [],
    );
    if (level.length === 0) {
      return false;
    }
  }
  return true;
}
