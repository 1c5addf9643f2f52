/**
 * YAML text → plain data that still knows where each value stands.
 * Strict: one document, string keys, no key twice, nothing of `yaml-restrictions.ts`; else every fault with its place.
 */
import { Composer, type Document, type ErrorCode, isMap, isScalar, isSeq, type Pair } from "yaml";
import { findLine, type Place } from "./place.ts";
import { MAX_PROBLEMS, type Path, type Problem } from "./problem.ts";
import { DOCUMENT_BOUNDS, type DocumentBounds, readTokens } from "./yaml-restrictions.ts";

type Fault = Omit<Problem, "file">;

export interface YamlDocument {
  readonly data: unknown;
  /** Where the value at a path begins; where it is missing, its nearest parent. */
  locate(path: Path): Place;
  /** Where the last key of a path stands. */
  locateKey(path: Path): Place;
  /** Where a character of a string value stands; where it is folded or escaped, the value itself. */
  locateIn(path: Path, index: number): Place;
  /** The value as it is written, of a scalar. */
  sourceOf(path: Path): string | undefined;
}

export type ParsedYaml =
  | { readonly ok: true; readonly document: YamlDocument }
  | { readonly ok: false; readonly faults: readonly Fault[] };

type Composed =
  | { readonly ok: true; readonly tree: Document; readonly data: unknown }
  | { readonly ok: false; readonly faults: readonly { offset: number; message: string }[] };

export function parseYaml(text: string, bounds: DocumentBounds = DOCUMENT_BOUNDS): ParsedYaml {
  const composed = compose(text, bounds);
  if (!composed.ok) {
    // One more than is shown: then it is said that there are more.
    const faults = composed.faults.slice(0, MAX_PROBLEMS + 1);
    return {
      ok: false,
      faults: faults.map(({ offset, message }) => ({ ...findLine(text, offset), key: "", message })),
    };
  }
  return { ok: true, document: openDocument(text, composed.data, bounds) };
}

/** What to change, where it is not plain from what the parser says. */
const fixes: { readonly [Code in ErrorCode]?: string } = {
  BLOCK_AS_IMPLICIT_KEY: '. Write a text that holds ": " in quotes: when: \'args.query == "is: open"\'',
  TAB_AS_INDENT: ": use spaces",
};

const options = { version: "1.2", schema: "core", merge: false, prettyErrors: false } as const;

function compose(text: string, bounds: DocumentBounds): Composed {
  const read = readTokens(text, bounds);
  if (!read.ok) {
    return { ok: false, faults: read.restrictions };
  }
  // Key uniqueness is checked below: the parser's own check compares every key with every other.
  const composer = new Composer({ ...options, uniqueKeys: false });
  const [tree, second] = [...composer.compose(read.tokens, true, text.length)];
  if (tree === undefined) {
    throw new Error("the YAML composer gave no document");
  }
  const faults = [...tree.errors, ...tree.warnings].map((error) => ({
    offset: error.pos[0],
    message: `not valid YAML: ${error.message}${fixes[error.code] ?? ""}`,
  }));
  if (second !== undefined) {
    const message = "a second document begins here: one file holds one document, remove the ---";
    faults.push({ offset: second.range[0], message });
  }
  if (faults.length > 0) {
    return { ok: false, faults };
  }
  const data = readNode(tree.contents, faults);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, tree, data };
}

type Faults = { offset: number; message: string }[];

/** The plain value of a node; the tokens have bounded its depth. */
function readNode(node: unknown, faults: Faults): unknown {
  if (isMap(node)) {
    const members: Record<string, unknown> = {};
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? key.value : undefined;
      const message = checkKey(name, members);
      if (message === undefined && typeof name === "string") {
        members[name] = readNode(value, faults);
      } else {
        const [offset] = (isScalar(key) ? key.range : node.range) ?? [0];
        faults.push({ offset, message: message ?? "" });
      }
    }
    return members;
  }
  if (isSeq(node)) {
    return node.items.map((item) => readNode(item, faults));
  }
  const value: unknown = isScalar(node) ? node.value : null;
  if (typeof value === "string" && !value.isWellFormed()) {
    const [offset] = (isScalar(node) ? node.range : undefined) ?? [0];
    faults.push({ offset, message: "half a character (\\ud800 to \\udfff) is no text: remove it" });
  }
  return value;
}

function checkKey(key: unknown, members: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof key !== "string" || !key.isWellFormed()) {
    return "a key must be a plain string: write it in quotes";
  }
  if (key === "<<") {
    return "merge keys (<<) are not allowed: write the values out in each place";
  }
  if (key === "__proto__") {
    return `"${key}" cannot be a key`;
  }
  return Object.hasOwn(members, key) ? `"${key}" appears twice: remove one of them` : undefined;
}

/**
 * Most documents are never asked for a place. Kept for each, the trees of a thousand documents would fill the memory:
 * whoever asks has the text read once more.
 */
function openDocument(text: string, data: unknown, bounds: DocumentBounds): YamlDocument {
  let known: Document | undefined;
  const readTree = (): Document => {
    if (known === undefined) {
      const composed = compose(text, bounds);
      if (!composed.ok) {
        throw new Error("a document that was read before cannot be read again");
      }
      known = composed.tree;
    }
    return known;
  };
  const walk = (path: Path): { node: unknown; key: unknown } => {
    let node: unknown = readTree().contents;
    let key: unknown;
    for (const step of path) {
      let pair: Pair<unknown, unknown> | undefined;
      if (isMap(node)) {
        pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      }
      const inner: unknown = isSeq(node) && typeof step === "number" ? node.items[step] : pair?.value;
      if (inner === undefined || inner === null) {
        break;
      }
      key = pair?.key ?? inner;
      node = inner;
    }
    return { node, key };
  };
  const startOf = (node: unknown): number => {
    const range = isMap(node) || isSeq(node) || isScalar(node) ? node.range : undefined;
    return range?.[0] ?? 0;
  };
  const place = (offset: number): Place => findLine(text, offset);
  const sourceOf = (path: Path): string | undefined => {
    const { node } = walk(path);
    return isScalar(node) && node.range ? text.slice(node.range[0], node.range[1]) : undefined;
  };
  return {
    data,
    locate: (path) => place(startOf(walk(path).node)),
    locateKey: (path) => place(startOf(walk(path).key)),
    locateIn: (path, index) => {
      const { node } = walk(path);
      const source = sourceOf(path);
      const quote = source !== undefined && /^["']/.test(source) ? 1 : 0;
      const written = source?.slice(quote, source.length - quote);
      const plain = isScalar(node) && written === node.value;
      return place(startOf(node) + (plain ? quote + index : 0));
    },
    sourceOf,
  };
}
