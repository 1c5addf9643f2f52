/**
 * YAML text → plain data that still knows where each value stands.
 * Strict: one document, string keys, no key twice, nothing of `yaml-restrictions.ts`; else every fault with its place.
 */
import { Composer, type Document, isMap, isScalar, isSeq, LineCounter, type Pair, Parser, visit } from "yaml";
import type { Path, Problem } from "./problem.ts";
import { findRestrictions, findUnreadableCharacter, MAX_DOCUMENT_BYTES } from "./yaml-restrictions.ts";

type Fault = Omit<Problem, "file">;
type Place = Pick<Problem, "line" | "column">;

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

const options = { version: "1.2", schema: "core", merge: false, prettyErrors: false } as const;

export function parseYaml(text: string): ParsedYaml {
  if (Buffer.byteLength(text) > MAX_DOCUMENT_BYTES) {
    const message = `the document is larger than ${MAX_DOCUMENT_BYTES / 1024} KiB: no document needs that`;
    return { ok: false, faults: [{ line: 1, column: 1, key: "", message }] };
  }
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const fault = ({ offset, message }: { offset: number; message: string }): Fault => ({
    ...place(offset),
    key: "",
    message,
  });
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const unreadable = findUnreadableCharacter(text);
  const restrictions = [...(unreadable === undefined ? [] : [unreadable]), ...findRestrictions(tokens)];
  if (restrictions.length > 0) {
    return { ok: false, faults: restrictions.map(fault) };
  }
  // Key uniqueness is checked below: the parser's own check compares every key with every other.
  const composer = new Composer({ ...options, uniqueKeys: false });
  const [document, second] = [...composer.compose(tokens, true, text.length)];
  if (document === undefined) {
    throw new Error("the YAML composer gave no document");
  }
  const faults = [...document.errors, ...document.warnings].map((error) =>
    fault({ offset: error.pos[0], message: `not valid YAML: ${error.message}` }),
  );
  if (second !== undefined) {
    const message = "a second document begins here: one file holds one document, remove the ---";
    faults.push(fault({ offset: second.range[0], message }));
  }
  faults.push(...(faults.length === 0 ? findKeyFaults(document).map(fault) : []));
  if (faults.length > 0) {
    return { ok: false, faults };
  }
  return { ok: true, document: openDocument({ document, text, place }) };
}

function findKeyFaults(document: Document): { offset: number; message: string }[] {
  const faults: { offset: number; message: string }[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const offset = isScalar(key) ? (key.range?.[0] ?? 0) : (map.range?.[0] ?? 0);
        const message = checkKey(isScalar(key) ? key.value : undefined, seen);
        if (message !== undefined) {
          faults.push({ offset, message });
        }
      }
    },
  });
  return faults;
}

function checkKey(key: unknown, seen: Set<string>): string | undefined {
  if (typeof key !== "string") {
    return "a key must be a plain string: write it in quotes";
  }
  if (key === "<<") {
    return "merge keys (<<) are not allowed: write the values out in each place";
  }
  if (key === "__proto__") {
    return `"${key}" cannot be a key`;
  }
  if (seen.has(key)) {
    return `"${key}" appears twice: remove one of them`;
  }
  seen.add(key);
  return undefined;
}

function openDocument(from: {
  document: Document;
  text: string;
  place: (offset: number) => Place;
}): YamlDocument {
  const { document, text, place } = from;
  const walk = (path: Path): { node: unknown; key: unknown } => {
    let node: unknown = document.contents;
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
  const sourceOf = (path: Path): string | undefined => {
    const { node } = walk(path);
    return isScalar(node) && node.range ? text.slice(node.range[0], node.range[1]) : undefined;
  };
  return {
    data: document.toJS({ maxAliasCount: 0 }) as unknown,
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
