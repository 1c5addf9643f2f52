/**
 * What one kind of run gains and loses: the policy that it was given against the one that it is given now.
 * By effect, not by name: a grant that moved to another role, or stands elsewhere, is no difference.
 * Where the effect of two conditions cannot be compared, the new one counts as a gain.
 */
import { type BindingMatch } from "../binding/binding.ts";
import type { SessionPolicy } from "../session-policy.ts";
import { prefixOf } from "../tool-pattern.ts";
import { type Atom, coversAtom, listAtoms, type Pattern, type Terms } from "./access-terms.ts";
import { AtomIndex } from "./atom-index.ts";
import { compareNumbers, type Difference } from "./change.ts";
import { findLooserLimits } from "./limit-order.ts";

export function compareSessions(
  before: SessionPolicy | undefined,
  after: SessionPolicy | undefined,
): Difference[] {
  const calls = compareCalls(new AtomIndex(listAtoms(before)), new AtomIndex(listAtoms(after)));
  if (before === undefined || after === undefined) {
    return calls;
  }
  const gained = new Set(calls.flatMap(({ effect, server }) => (effect === "gained" ? server : [])));
  const looser = findLooserLimits(before, after).filter((server) => !gained.has(server));
  return [
    ...calls,
    ...looser.map(
      (server): Difference => ({
        effect: "gained",
        subject: "limits",
        server,
        what: "calls",
        before: "limited together, or in another order",
        after: "more calls may pass: the grants that share a limit have changed",
      }),
    ),
    ...compareFlow(before, after),
  ];
}

function compareCalls(before: AtomIndex, after: AtomIndex): Difference[] {
  const patterns = new Map(
    [...before.patterns, ...after.patterns].map((pattern) => [JSON.stringify(pattern), pattern]),
  );
  const isCovered = (side: AtomIndex) => (atom: Atom) =>
    side.listCovering(atom.pattern).some((outer) => coversAtom(outer, atom));
  const rows = [...patterns.values()].flatMap((pattern) => {
    const isGained = !after.listOwn(pattern).every(isCovered(before));
    const isLost = !before.listOwn(pattern).every(isCovered(after));
    if (!isGained && !isLost) {
      return [];
    }
    const [was, is] = [describeTerms(before, pattern), describeTerms(after, pattern)];
    return [
      {
        effect: isGained ? ("gained" as const) : ("lost" as const),
        subject: pattern.kind,
        server: pattern.server,
        what: pattern.text,
        ...(was !== undefined && { before: was }),
        ...(is !== undefined && { after: is }),
      },
    ];
  });
  // Names that change in the same way are one line.
  return [...Map.groupBy(rows, ({ what: _, ...rest }) => JSON.stringify(rest)).values()].flatMap((alike) => {
    const [first] = alike;
    const names = alike.map(({ what }) => what).sort();
    return first === undefined ? [] : [{ ...first, what: names.join(", ") }];
  });
}

/** `always` or `when …; 20 calls a session`, of all that covers the pattern; undefined where nothing does. */
function describeTerms(side: AtomIndex, pattern: Pattern): string | undefined {
  const covering = side.listCovering(pattern);
  if (covering.length === 0) {
    const inner = prefixOf(pattern.text) === undefined ? [] : side.listInside(pattern);
    const names = [...new Set(inner.map(({ pattern: { text } }) => text))].sort();
    return names.length > 0 ? `only ${names.join(", ")}` : undefined;
  }
  const terms = covering.map(describeTerm);
  return terms.includes("always") ? "always" : [...new Set(terms)].sort().join(", or ");
}

function describeTerm({ when, limit, observed }: Terms): string {
  if (observed) {
    return "without a grant, observed (read_only)";
  }
  const parts = [
    ...(when === undefined ? [] : [`when ${when}`]),
    ...(limit === undefined ? [] : [`${limit} ${limit === 1 ? "call" : "calls"} a session`]),
  ];
  return parts.length === 0 ? "always" : parts.join("; ");
}

function compareFlow(before: SessionPolicy, after: SessionPolicy): Difference[] {
  const rulesOf = ({ flow }: SessionPolicy): Set<string> =>
    new Set(
      flow.flatMap(({ after: read, deny }) =>
        read.flatMap((label) => deny.map((sink) => `${sink} after ${label}`)),
      ),
    );
  const [had, has] = [rulesOf(before), rulesOf(after)];
  return [
    ...[...had.difference(has)].map(
      (what): Difference => ({ effect: "gained", subject: "flow", what, before: "denied" }),
    ),
    ...[...has.difference(had)].map(
      (what): Difference => ({ effect: "lost", subject: "flow", what, after: "denied" }),
    ),
  ];
}

/** How long it lasts, and whether an edit ends it. */
export function compareMatches(before: BindingMatch, after: BindingMatch): Difference[] {
  const seconds = (value: number) => ({ value, text: describeSeconds(value) });
  const change = { subject: "session", what: "revoke_on_change" } as const;
  const keeps = (match: BindingMatch) => ({
    value: Number(!match.revokeOnChange),
    text: String(match.revokeOnChange),
  });
  return [
    ...compareNumbers(
      { subject: "session", what: "ttl" },
      seconds(before.ttlSeconds),
      seconds(after.ttlSeconds),
    ),
    ...compareNumbers(
      { subject: "session", what: "max" },
      seconds(before.maxSeconds),
      seconds(after.maxSeconds),
    ),
    ...compareNumbers(change, keeps(before), keeps(after)),
  ];
}

function describeSeconds(seconds: number): string {
  const [unit, size] = seconds % 3600 === 0 ? ["h", 3600] : seconds % 60 === 0 ? ["m", 60] : ["s", 1];
  return `${seconds / Number(size)}${unit}`;
}
