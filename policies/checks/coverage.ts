/**
 * Which grants of a role name everything that an entry of another names, without condition and without limit.
 * Patterns are compared as they are written: a fact of the run stands for the same text in both.
 * Looked up, not compared with each other: a role of many grants costs no more than its length.
 */
import type { Grant } from "../documents/roles-document.ts";

export const GRANTED_KINDS = ["tools", "resources", "prompts", "asks"] as const;
type GrantedKind = (typeof GRANTED_KINDS)[number];

export interface Entry {
  readonly kind: GrantedKind;
  readonly index: number;
  readonly pattern: string;
}

/** Nothing but its names decides what it allows. */
export function isUnconditional(grant: Grant): boolean {
  return grant.when === undefined && grant.limit === undefined;
}

export function listEntries(grant: Grant): Entry[] {
  return GRANTED_KINDS.flatMap((kind) =>
    (grant[kind] ?? []).map((pattern, index) => ({ kind, index, pattern })),
  );
}

/** By what an entry names: the positions of the unconditional grants that have it, in their order. */
export type Coverage = ReadonlyMap<string, readonly number[]>;

export function indexCoverage(grants: readonly Grant[]): Coverage {
  const coverage = new Map<string, number[]>();
  for (const [position, grant] of grants.entries()) {
    for (const { kind, pattern } of isUnconditional(grant) ? listEntries(grant) : []) {
      const key = keyOf(grant, kind, pattern);
      const positions = coverage.get(key) ?? [];
      coverage.set(key, positions);
      positions.push(position);
    }
  }
  return coverage;
}

/** The position of the first other grant that allows the entry whatever the one at `position` says. */
export function findCovering(
  coverage: Coverage,
  { grant, position }: { grant: Grant; position: number },
  { kind, pattern }: Entry,
): number | undefined {
  const isConditional = !isUnconditional(grant);
  const length = pattern.endsWith("*") ? pattern.length - 1 : pattern.length;
  let first: number | undefined;
  const look = (named: string): void => {
    const found = coverage
      .get(keyOf(grant, kind, named))
      ?.find((each) => each !== position && (isConditional || each < position));
    first = found === undefined ? first : Math.min(found, first ?? found);
  };
  look(pattern);
  for (let end = 0; end <= length; end++) {
    look(`${pattern.slice(0, end)}*`);
  }
  return first;
}

function keyOf({ server }: Grant, kind: GrantedKind, pattern: string): string {
  return `${server} ${kind} ${pattern}`;
}
