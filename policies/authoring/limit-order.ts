/**
 * Whether limits still hold back what they held back: grants that share calls are used up in their order, the first
 * that fits. Which calls pass in the end depends on that order, so that it counts for grants that meet a limit.
 *
 * A session with more places, in the same order, lets every row of calls through that one with fewer places does.
 * So nothing is gained when each grant after the change has one before it that does the same, in the same order.
 */
import type { SessionGrant, SessionPolicy } from "../session-policy.ts";
import { listObserved } from "./access-list.ts";
import {
  coversAtom,
  coversPattern,
  listAtoms,
  meaningOf,
  overlaps,
  patternsOf,
  type Pattern,
} from "./access-terms.ts";

interface Sharing {
  readonly grant: SessionGrant;
  readonly patterns: readonly Pattern[];
  readonly meaning: string;
}

/** The servers on which more rows of calls may pass than before, for all that single calls tell. */
export function findLooserLimits(before: SessionPolicy, after: SessionPolicy): string[] {
  const limited = [...before.grants, ...after.grants].filter(({ limit }) => limit !== undefined);
  return [...new Set(limited.map(({ server }) => server))].filter((server) => {
    const meeting = limited.filter((grant) => grant.server === server).flatMap(patternsOf);
    return !isEmbedded(before, after, meeting) && !isUnlimited(before, after, meeting);
  });
}

/** The grants that can name what a limited grant names, in their order. */
function listSharing({ grants, robot }: SessionPolicy, meeting: readonly Pattern[]): Sharing[] {
  return grants
    .map((grant) => ({ grant, patterns: patternsOf(grant), meaning: meaningOf(grant.when, robot) }))
    .filter(({ patterns }) => meet(patterns, meeting));
}

function meet(some: readonly Pattern[], others: readonly Pattern[]): boolean {
  return some.some((pattern) => others.some((other) => overlaps(pattern, other)));
}

/** The first that fits is as good as any later one: it leaves most for those that follow. */
function isEmbedded(before: SessionPolicy, after: SessionPolicy, meeting: readonly Pattern[]): boolean {
  const earlier = listSharing(before, meeting);
  let next = 0;
  return listSharing(after, meeting).every((sharing) => {
    const others = listOthers(after, sharing.grant);
    const found = earlier.findIndex(
      (candidate, index) => index >= next && stands(candidate, sharing, others),
    );
    next = found + 1;
    return found >= 0;
  });
}

/** All that can be called by other means than this grant. */
function listOthers(source: SessionPolicy, grant: SessionGrant): Pattern[] {
  const observed = listObserved(source).map(({ server, tool }) => ({
    server,
    kind: "tool" as const,
    text: tool,
  }));
  return [...source.grants.filter((each) => each !== grant).flatMap(patternsOf), ...observed];
}

/** Whether `before` has a place for every call that `after` has one for, and is used up by no others. */
function stands(before: Sharing, after: Sharing, others: readonly Pattern[]): boolean {
  const [had, has] = [before.grant.limit, after.grant.limit];
  const isRoomy = had === undefined || (has !== undefined && has <= had);
  const covers = after.patterns.every((pattern) =>
    before.patterns.some((outer) => coversPattern(outer, pattern)),
  );
  if (!isRoomy || !covers || (before.meaning !== "" && before.meaning !== after.meaning)) {
    return false;
  }
  const isSame =
    before.meaning === after.meaning &&
    before.patterns.length === after.patterns.length &&
    before.patterns.every((pattern) => after.patterns.some((outer) => coversPattern(outer, pattern)));
  return isSame || !meet(before.patterns, others);
}

/** Whether before the change no limit stood in the way of what the grants that meet a limit allow now. */
function isUnlimited(before: SessionPolicy, after: SessionPolicy, meeting: readonly Pattern[]): boolean {
  const free = listAtoms(before).filter(({ limit }) => limit === undefined);
  return listAtoms({ ...after, mode: "enforce" })
    .filter(({ pattern }) => meet([pattern], meeting))
    .every((atom) => free.some((outer) => coversAtom(outer, atom)));
}
