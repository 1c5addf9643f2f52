/**
 * The least grants that would have allowed what recorded sessions of one robot did: exact names, and conditions where
 * an argument was the same each time or always a fact of its run.
 * Calls that were refused are told apart: what an agent was talked into asking for is no reason to grant it. Nor does
 * what it writes make a grant wider than what it did: no name becomes a pattern, and a secret in one argument takes the
 * condition from that argument alone.
 */
import * as z from "zod/mini";
import { Ask } from "../asks.ts";
import type { Target } from "../decision.ts";
import { ResourcePattern } from "../resource-pattern.ts";
import { collectRunFacts, type RunFacts } from "../run-facts.ts";
import { ToolName } from "../tool-pattern.ts";
import { renderTextLiteral } from "./condition-text.ts";
import type { RecordedCall, RecordedSession } from "./recorded-session.ts";

export interface SuggestedGrant {
  readonly server: string;
  readonly kind: Target["kind"];
  /** Exact names; of resources, URIs in which facts of the run are filled in. */
  readonly names: readonly string[];
  /** CEL; absent where the arguments varied, or are not in the logs. */
  readonly when?: string;
  /** Whether the logs lack arguments of some of the calls: nobody can say then what the condition would be. */
  readonly isIncomplete: boolean;
  /** Of one call that was seen: the arguments that the condition looks at, and the claims that it compares them with. */
  readonly example: {
    readonly args: Readonly<Record<string, unknown>>;
    readonly claims: Readonly<Record<string, string>>;
  };
  readonly calls: number;
  readonly sessions: number;
}

export interface RefusedName extends Target {
  readonly calls: number;
  /** As the log gives them; `no_exact_name` where the call went, and no grant can name just this. */
  readonly reasons: readonly string[];
}

export interface Suggestion {
  readonly grants: readonly SuggestedGrant[];
  readonly refused: readonly RefusedName[];
}

export interface SuggestionOptions {
  /** An argument that never varied becomes a condition from so many calls on; a fact of the run from the first. */
  readonly minCalls: number;
  /** Grant what was refused, too. */
  readonly includeRefused: boolean;
}

/** A call together with what is known of its run. */
interface Seen {
  readonly call: RecordedCall;
  readonly session: string;
  readonly run: RunFacts;
}

export function suggestGrants(
  sessions: readonly RecordedSession[],
  { minCalls, includeRefused }: SuggestionOptions,
): Suggestion {
  const seen = sessions.flatMap(({ session, claims, calls }) => {
    const run = collectRunFacts(claims);
    return calls.map((call): Seen => ({ call, session, run }));
  });
  const wanted = seen.filter(({ call }) => (call.wasAllowed || includeRefused) && hasExactName(call));
  const single = [...Map.groupBy(wanted, ({ call, run }) => keyOf(call, run)).values()].map((group) =>
    suggestGrant(group, minCalls),
  );
  return { grants: mergeGrants(single), refused: listRefused(seen, includeRefused) };
}

/** A `*` at the end of a name, or a variable in it, would make a pattern of what an agent wrote. */
export function hasExactName({ kind, name }: Target): boolean {
  switch (kind) {
    case "resource":
      return z.safeParse(ResourcePattern, name).success && !/[*{]/.test(name);
    case "ask":
      return z.safeParse(Ask, name).success;
    case "tool":
    case "prompt":
      return z.safeParse(ToolName, name).success;
  }
}

function keyOf(call: RecordedCall, run: RunFacts): string {
  return JSON.stringify([call.server, call.kind, nameOf(call, run)]);
}

/** The name that a grant would spell out. */
function nameOf({ kind, name }: RecordedCall, run: RunFacts): string {
  const repository = run.get("repository");
  return kind === "resource" && typeof repository === "string" && repository.length > 0
    ? name.replaceAll(repository, "{run.repository}")
    : name;
}

interface SingleGrant extends SuggestedGrant {
  readonly inSessions: ReadonlySet<string>;
}

function suggestGrant(group: readonly Seen[], minCalls: number): SingleGrant {
  const [{ call, run }] = group as readonly [Seen, ...Seen[]];
  // What a server asks is its own word: that it was the same so far says nothing of what is needed.
  const hasTerms = call.kind === "tool" || call.kind === "prompt";
  const terms = hasTerms ? findTerms(group, minCalls) : [];
  const isIncomplete =
    hasTerms && group.some(({ call: { args, redacted } }) => args === undefined || redacted.length > 0);
  const facts = terms.flatMap(({ fact }) => fact ?? []).filter((fact) => !fact.startsWith("repository"));
  const inSessions = new Set(group.map(({ session }) => session));
  return {
    server: call.server,
    kind: call.kind,
    names: [nameOf(call, run)],
    ...(terms.length > 0 && { when: terms.map(({ text }) => text).join(" && ") }),
    isIncomplete,
    example: {
      args: Object.fromEntries(terms.map(({ argument }) => [argument, call.args?.[argument]])),
      claims: Object.fromEntries(facts.map((fact) => [fact, String(run.get(fact))])),
    },
    calls: group.length,
    sessions: inSessions.size,
    inSessions,
  };
}

const KINDS: readonly Target["kind"][] = ["tool", "resource", "prompt", "ask"];

/** Names of one server under the same condition are one grant. */
function mergeGrants(grants: readonly SingleGrant[]): SuggestedGrant[] {
  const groups = Map.groupBy(grants, ({ server, kind, when }) => JSON.stringify([server, kind, when ?? ""]));
  const merged = [...groups.values()].map((group): SuggestedGrant => {
    const [{ server, kind, when, example }] = group as [SingleGrant, ...SingleGrant[]];
    return {
      server,
      kind,
      names: group.flatMap(({ names }) => names).sort(),
      ...(when !== undefined && { when }),
      isIncomplete: group.some((each) => each.isIncomplete),
      example,
      calls: group.reduce((sum, { calls }) => sum + calls, 0),
      sessions: new Set(group.flatMap(({ inSessions }) => [...inSessions])).size,
    };
  });
  const orderOf = ({ server, kind, when = "", names }: SuggestedGrant): string =>
    [server, KINDS.indexOf(kind), when === "" ? 0 : 1, ...names].join("\u0000");
  return merged.sort((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1));
}

interface Term {
  readonly argument: string;
  readonly text: string;
  /** Of the run, where the argument was one. */
  readonly fact: string | undefined;
}

function findTerms(group: readonly Seen[], minCalls: number): Term[] {
  const calls = group.flatMap(({ call: { args, redacted }, run }) =>
    args === undefined ? [] : [{ args, redacted, run }],
  );
  // Of a call whose arguments are not in the log nobody can say that a condition would have held.
  return calls.length < group.length
    ? []
    : Object.keys(calls[0]?.args ?? {})
        .filter((argument) => !calls.some(({ redacted }) => redacted.includes(argument)))
        .sort()
        .flatMap((argument) => findTerm(argument, calls, minCalls) ?? []);
}

interface Known {
  readonly args: Readonly<Record<string, unknown>>;
  readonly run: RunFacts;
}

/** Facts that tell one run or repository from another; most telling first. */
const TELLING_FACTS = [
  "repository",
  "repository_owner",
  "repository_name",
  "pull_request_number",
  "head_ref",
  "base_ref",
  "ref",
  "sha",
  "run_id",
];
/** A longer text is content, not a parameter. */
const MAX_LITERAL_LENGTH = 200;

function findTerm(argument: string, calls: readonly Known[], minCalls: number): Term | undefined {
  const values = calls.map(({ args }) => (Object.hasOwn(args, argument) ? args[argument] : undefined));
  const [value] = values;
  if (!["string", "number", "boolean"].includes(typeof value) || value === "") {
    return undefined;
  }
  const path = /^[A-Za-z_][A-Za-z0-9_]*$/.test(argument)
    ? `args.${argument}`
    : `args[${renderTextLiteral(argument)}]`;
  const fact = TELLING_FACTS.find((each) =>
    calls.every(({ run }, index) => run.get(each) !== undefined && run.get(each) === values[index]),
  );
  if (fact !== undefined) {
    return { argument, text: `${path} == run.${fact}`, fact };
  }
  const literal = typeof value === "string" ? renderTextLiteral(value) : JSON.stringify(value);
  const isConstant = values.length >= minCalls && values.every((each) => each === value);
  return isConstant && literal.length <= MAX_LITERAL_LENGTH
    ? { argument, text: `${path} == ${literal}`, fact }
    : undefined;
}

function listRefused(seen: readonly Seen[], isGranted: boolean): RefusedName[] {
  const refused = seen.filter(({ call }) => !hasExactName(call) || (!call.wasAllowed && !isGranted));
  return [...Map.groupBy(refused, ({ call }) => JSON.stringify([call.server, call.kind, call.name])).values()]
    .map((group) => {
      const [{ call }] = group as [Seen, ...Seen[]];
      const { server, kind, name } = call;
      const reasonOf = ({ wasAllowed, reason }: RecordedCall) => (wasAllowed ? "no_exact_name" : reason);
      const reasons = [...new Set(group.map(({ call: each }) => reasonOf(each)))].sort();
      return { server, kind, name, calls: group.length, reasons };
    })
    .sort((left, right) => right.calls - left.calls || (left.name < right.name ? -1 : 1));
}
