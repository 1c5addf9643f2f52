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

/** What joins the letters and pictures around it, in scripts that are written so; nothing of Latin script is. */
const joined = String.raw`(?![\0-\u024f])[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]`;
/**
 * Control characters, byte order marks, marks that make text read in another order than it is stored in, and whatever
 * else takes no room: between the letters of a name or a condition it makes another one that looks the same.
 */
const unreadable = new RegExp(
  [
    String.raw`[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffe\uffff]--[\t\n\r\u200c\u200d\ufe00-\ufe0f]]`,
    String.raw`(?<!${joined})[\u200c\u200d]|[\u200c\u200d](?!${joined})`,
    String.raw`(?<![\p{Lo}\p{Extended_Pictographic}])[\ufe00-\ufe0f]`,
  ].join("|"),
  "v",
);

function findUnreadableCharacter(text: string): Restriction | undefined {
  const match = unreadable.exec(text);
  if (match === null) {
    return undefined;
  }
  const code = (match[0].codePointAt(0) ?? 0).toString(16).padStart(4, "0").toUpperCase();
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
