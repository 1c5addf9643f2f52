/**
 * How a grant names resources: the URI itself, or a prefix with one `*` at its end, with facts of the run filled in.
 * A prefix is compared with the URI as it is written; one that could mean another place than it says matches none.
 */
import * as z from "zod/mini";
import type { RunFacts } from "./run-facts.ts";

const uriCharacter = String.raw`[^\s*{}\\\u0000-\u001f\u007f]`;
const variable = String.raw`\{run\.[a-z_]+\}`;
/** `https://example.com*` begins `https://example.com.evil.example` and `https://example.com@evil.example`, too. */
const endsInHost = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+\*$/u;

export const ResourcePattern = z.string().check(
  z.regex(
    new RegExp(`^[a-z][a-z0-9+.-]*:(?:(?:${uriCharacter}|${variable}){1,500}\\*?|\\*)$`, "u"),
    "expected the URI of a resource, or the beginning of one with one * at its end",
  ),
  z.refine(
    (pattern) => !endsInHost.test(pattern),
    "this names every host that begins like this one: end it with /*",
  ),
  z.describe('A URI, or the beginning of one with one * at its end: "repo://{run.repository}/*".'),
);

export interface CompiledResource {
  readonly text: string;
  readonly isPrefix: boolean;
}

/**
 * A fact may be the choice of whoever named the branch or the fork: it is filled in where it can be nothing but names
 * with single slashes between them, and no dots alone.
 */
const plainFact = /^(?!\.{1,2}(?:\/|$))[\w.~+,=-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.~+,=-]+)*$/;

/** Undefined where the run lacks a fact that the pattern asks for, or has one that is more than a name: it matches nothing then. */
export function compileResource(pattern: string, run: RunFacts): CompiledResource | undefined {
  const isPrefix = pattern.endsWith("*");
  let isComplete = true;
  const text = (isPrefix ? pattern.slice(0, -1) : pattern).replace(
    /\{run\.([a-z_]+)\}/g,
    (_written, name: string) => {
      const fact = String(run.get(name) ?? "");
      isComplete &&= plainFact.test(fact);
      return fact;
    },
  );
  return isComplete ? { text, isPrefix } : undefined;
}

/** Dot segments, however they are written (`..;` is one for some servers), and what hides a separator or ends a text. */
const resolvable =
  /(?:^|[/\\:])(?:\.|%2e){1,2}(?:[/\\?#;]|%3b|$)|%(?:2f|5c|00|25|c0|c1)|[\\\s\u0000-\u001f\u007f]/iu;

/** Nothing in it is resolved, decoded or folded by whoever reads it next; an absolute path cannot stand inside another. */
export function isPlainUri(uri: string): boolean {
  const rest = uri.replace(/^[a-z][a-z0-9+.-]*:(?:\/\/)?/i, "");
  return !rest.includes("//") && !resolvable.test(uri) && uri.normalize("NFKC") === uri;
}

export function matchesResource({ text, isPrefix }: CompiledResource, uri: string): boolean {
  return isPrefix ? uri.startsWith(text) && isPlainUri(uri) : uri === text;
}
