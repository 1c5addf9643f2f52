/**
 * What of YAML 1.2 a policy document may not use, found on the tokens, before anything is built from them.
 * What a reader sees is what is decided on: nothing is defined elsewhere in the file, nothing has two meanings.
 */
import type { CST } from "yaml";

export interface Restriction {
  readonly offset: number;
  readonly message: string;
}

export const MAX_DOCUMENT_BYTES = 256 * 1024;
/** The deepest document there is has seven levels. */
const maxDepth = 20;

const forbiddenTokens = new Map([
  ["anchor", "anchors (&name) are not allowed: write the value out in each place"],
  ["alias", "aliases (*name) are not allowed: write the value out in each place"],
  ["tag", "tags (!name) are not allowed: remove it, a value has the type it is written as"],
  ["directive", "directives (%NAME) are not allowed: remove the line, every document is YAML 1.2"],
]);
const collections = new Set(["block-map", "block-seq", "flow-collection"]);

/** Control characters, byte order marks and the marks that make text read in another order than it is stored in. */
const unreadable =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/u;

export function findUnreadableCharacter(text: string): Restriction | undefined {
  const match = unreadable.exec(text);
  if (match === null) {
    return undefined;
  }
  const code = match[0].charCodeAt(0).toString(16).padStart(4, "0").toUpperCase();
  return {
    offset: match.index,
    message: `the character U+${code} is not allowed: it cannot be seen when reading`,
  };
}

/** Walks without recursion: the depth of the tokens is what a writer chose. */
export function findRestrictions(tokens: readonly CST.Token[]): Restriction[] {
  const found: Restriction[] = [];
  const open: { part: unknown; depth: number; offset: number }[] = [{ part: tokens, depth: 0, offset: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { part } = next;
    if (typeof part !== "object" || part === null) {
      continue;
    }
    const type = "type" in part && typeof part.type === "string" ? part.type : "";
    const offset = "offset" in part && typeof part.offset === "number" ? part.offset : next.offset;
    const depth = next.depth + (collections.has(type) ? 1 : 0);
    const message = forbiddenTokens.get(type);
    if (message !== undefined) {
      found.push({ offset, message });
    }
    if (depth > maxDepth) {
      found.push({ offset, message: `more than ${maxDepth} levels of nesting: no document needs that` });
      continue;
    }
    const inner: unknown[] = Object.values(part);
    for (const each of inner) {
      open.push({ part: each, depth, offset });
    }
  }
  return found.sort((a, b) => a.offset - b.offset);
}
