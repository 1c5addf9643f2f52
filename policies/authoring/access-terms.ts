/**
 * What the grants of a session come to, whatever they are called and in whichever order they stand:
 * for each pattern on each server the terms under which it can be called. Of two sides one can say what covers what.
 */
import type { Target } from "../decision.ts";
import { compileResource, matchesResource } from "../resource-pattern.ts";
import type { SessionGrant, SessionPolicy } from "../session-policy.ts";
import { prefixOf } from "../tool-pattern.ts";
import { listObserved } from "./access-list.ts";

export interface Pattern {
  readonly server: string;
  readonly kind: Target["kind"];
  /** As in a grant: exact, or a prefix with one `*` at its end. */
  readonly text: string;
}

export interface Terms {
  readonly when?: string;
  /** Calls a session. */
  readonly limit?: number;
  /** It passes since nothing is enforced: neither conditions, limits nor flow count. */
  readonly observed?: true;
}

export interface Atom extends Terms {
  readonly pattern: Pattern;
  /** What a condition means: one that looks at the robot means another thing for another robot. */
  readonly meaning: string;
}

export function patternsOf(grant: SessionGrant): Pattern[] {
  const { server, tools = [], resources = [], prompts = [], asks = [] } = grant;
  return [
    ...tools.map((text) => ({ server, kind: "tool" as const, text })),
    ...resources.map((text) => ({ server, kind: "resource" as const, text })),
    ...prompts.map((text) => ({ server, kind: "prompt" as const, text })),
    ...asks.map((text) => ({ server, kind: "ask" as const, text })),
  ];
}

export function meaningOf(when: string | undefined, robot: string): string {
  return when === undefined ? "" : /\brobot\b/.test(when) ? JSON.stringify([when, robot]) : when;
}

export function listAtoms(source: SessionPolicy | undefined): Atom[] {
  if (source === undefined) {
    return [];
  }
  const granted = source.grants.flatMap((grant) =>
    patternsOf(grant).map(
      (pattern): Atom => ({
        pattern,
        meaning: meaningOf(grant.when, source.robot),
        ...(grant.when !== undefined && { when: grant.when }),
        ...(grant.limit !== undefined && { limit: grant.limit }),
      }),
    ),
  );
  const observed = listObserved(source).map(
    ({ server, tool }): Atom => ({
      pattern: { server, kind: "tool", text: tool },
      meaning: "",
      observed: true,
    }),
  );
  return [...granted, ...observed];
}

/** Whether all that `inner` names, `outer` names too. Where that cannot be said of every run: no. */
export function coversPattern(outer: Pattern, inner: Pattern): boolean {
  if (outer.server !== inner.server || outer.kind !== inner.kind) {
    return false;
  }
  const prefix = prefixOf(outer.text);
  if (prefix === undefined || outer.text === inner.text) {
    return outer.text === inner.text;
  }
  const innerPrefix = prefixOf(inner.text);
  if (innerPrefix !== undefined) {
    return innerPrefix.startsWith(prefix);
  }
  // A URI that a grant spells out may be one that no prefix would match.
  return outer.kind === "resource"
    ? !/\{run\./.test(inner.text) && matchesResourcePrefix(outer.text, inner.text)
    : inner.text.startsWith(prefix);
}

function matchesResourcePrefix(pattern: string, uri: string): boolean {
  const compiled = compileResource(pattern, new Map());
  return compiled !== undefined && matchesResource(compiled, uri);
}

/** Whether some name can be meant by both. */
export function overlaps(one: Pattern, other: Pattern): boolean {
  if (one.server !== other.server || one.kind !== other.kind) {
    return false;
  }
  const [a, b] = [fixedPart(one), fixedPart(other)];
  return (
    (a.isOpen && b.text.startsWith(a.text)) || (b.isOpen && a.text.startsWith(b.text)) || a.text === b.text
  );
}

/** What of a pattern is the same for every run, and whether anything may follow. */
function fixedPart({ kind, text }: Pattern): { text: string; isOpen: boolean } {
  const variable = kind === "resource" ? text.indexOf("{run.") : -1;
  if (variable >= 0) {
    return { text: text.slice(0, variable), isOpen: true };
  }
  const prefix = prefixOf(text);
  return { text: prefix ?? text, isOpen: prefix !== undefined };
}

/** Whether what one atom allows, the other allows too, as far as one call can tell. */
export function coversAtom(outer: Atom, inner: Atom): boolean {
  return (
    coversPattern(outer.pattern, inner.pattern) &&
    (outer.observed === true || inner.observed !== true) &&
    (outer.when === undefined || outer.meaning === inner.meaning) &&
    (outer.limit === undefined || (inner.limit !== undefined && inner.limit <= outer.limit))
  );
}
