/**
 * What of YAML 1.2 a policy document may not use, found on the tokens, before anything is built from them.
 * What a reader sees is what is decided on: nothing is defined elsewhere in the file, nothing has two meanings.
 * Whoever wrote a document, reading it is bounded: it ends at the first token that is one too many or too deep.
 */
import { CST, Lexer, Parser } from "yaml";

interface Restriction {
  readonly offset: number;
  readonly message: string;
}

export interface DocumentBounds {
  readonly maxBytes: number;
  /** Words, marks and spaces between them: what the time of reading grows with. */
  readonly maxTokens: number;
}

const KIB = 1024;
export const DOCUMENT_BOUNDS: DocumentBounds = { maxBytes: 256 * KIB, maxTokens: 150_000 };
/** It holds what the servers say of their tools, as long texts: many bytes, few tokens. */
export const LOCK_BOUNDS: DocumentBounds = { maxBytes: 4096 * KIB, maxTokens: 200_000 };
/** The deepest document there is has seven levels. */
const maxDepth = 20;

const forbidden: Partial<Record<CST.TokenType, string>> = {
  anchor: "anchors (&name) are not allowed: write the value out in each place",
  alias: "aliases (*name) are not allowed: write the value out in each place",
  tag: "tags (!name) are not allowed: remove it, a value has the type it is written as",
  "directive-line": "directives (%NAME) are not allowed: remove the line, every document is YAML 1.2",
};

/** Control characters, byte order marks and the marks that make text read in another order than it is stored in. */
const unreadable =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/u;

function findUnreadableCharacter(text: string): Restriction | undefined {
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

export function describeSize({ maxBytes }: DocumentBounds): string {
  return `larger than ${maxBytes / KIB} KiB: no document needs that`;
}

export type ReadTokens =
  | { readonly ok: true; readonly tokens: readonly CST.Token[] }
  | { readonly ok: false; readonly restrictions: readonly Restriction[] };

export function readTokens(text: string, bounds: DocumentBounds): ReadTokens {
  const found: Restriction[] = [];
  if (Buffer.byteLength(text) > bounds.maxBytes) {
    return refuse({ offset: 0, message: `the document is ${describeSize(bounds)}` });
  }
  const character = findUnreadableCharacter(text);
  if (character !== undefined) {
    return refuse(character);
  }
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let count = 0;
  let isScalar = false;
  for (const source of new Lexer().lex(text)) {
    const message = isScalar ? undefined : forbidden[CST.tokenType(source) ?? "space"];
    isScalar = !isScalar && source === CST.SCALAR;
    if (message !== undefined) {
      found.push({ offset: parser.offset, message });
    }
    tokens.push(...parser.next(source));
    count++;
    const excess = findExcess(parser, count, bounds);
    if (excess !== undefined) {
      found.push(excess);
      break;
    }
  }
  if (found.length > 0) {
    return { ok: false, restrictions: found };
  }
  tokens.push(...parser.end());
  return { ok: true, tokens };
}

function refuse(restriction: Restriction): ReadTokens {
  return { ok: false, restrictions: [restriction] };
}

const collections = new Set(["block-map", "block-seq", "flow-collection"]);

function findExcess(parser: Parser, count: number, { maxTokens }: DocumentBounds): Restriction | undefined {
  const { offset, stack } = parser;
  if (count > maxTokens) {
    return { offset, message: `more than ${maxTokens} words and marks: split the document` };
  }
  // The stack holds what is open: its length is looked at first, since that costs nothing.
  if (stack.length <= maxDepth) {
    return undefined;
  }
  const open = stack.filter(({ type }) => collections.has(type));
  const deepest = open.at(-1);
  return open.length > maxDepth && deepest !== undefined && "offset" in deepest
    ? { offset: deepest.offset, message: `more than ${maxDepth} levels of nesting: no document needs that` }
    : undefined;
}
