/**
 * A session's policy read sentence by sentence, call after call, from the source and the whole history: slow, and plain
 * enough to be believed. It shares nothing with the compiled form but the types.
 */
import type { Call, Decision, Denial } from "../../policies/decision.ts";
import type { SessionGrant, SessionPolicy } from "../../policies/session-policy.ts";

export interface Facts {
  readonly call: Call;
  readonly claims: Readonly<Record<string, string>>;
  /** Calls let through so far. */
  readonly calls: number;
}

/** A condition beside what it means: true, false, or undefined where it cannot be evaluated. */
export interface Meaning {
  readonly text: string;
  holds(facts: Facts): boolean | undefined;
}

export interface Past {
  readonly call: Call;
  readonly decision: Decision;
}

export interface Reference {
  readonly source: SessionPolicy;
  readonly meanings: readonly Meaning[];
  readonly claims: Readonly<Record<string, string>>;
}

export function decideNaively(reference: Reference, history: readonly Past[], call: Call): Decision {
  const denial = denyNaively(reference, history, call);
  if ("granted" in denial) {
    return { effect: "allow", reason: "granted", rule: denial.granted };
  }
  const { source } = reference;
  const isLookedAt =
    source.mode === "observe" &&
    call.kind === "tool" &&
    source.servers[call.server]?.tools?.[call.name]?.read_only === true;
  return isLookedAt ? { effect: "allow", reason: "observed", instead: denial } : denial;
}

function denyNaively(
  { source, meanings, claims }: Reference,
  history: readonly Past[],
  call: Call,
): Denial | { readonly granted: string } {
  const passed = history.filter(({ decision }) => decision.effect === "allow");
  const naming = source.grants.filter((grant) => isNamed(grant, call, claims));
  if (naming.length === 0) {
    return { effect: "deny", reason: "no_grant" };
  }
  const known = source.servers[call.server];
  const isAsked = call.kind === "ask" && call.name !== "logging";
  const own = call.kind === "tool" ? known?.tools?.[call.name]?.writes : isAsked ? known?.writes : [];
  const written: readonly string[] = own ?? known?.writes ?? [];
  const read = passed.flatMap((past) => readBy(source, past.call));
  for (const { rule, after, deny } of source.flow) {
    if (deny.some((label) => written.includes(label)) && after.some((label) => read.includes(label))) {
      return { effect: "deny", reason: "flow", rule };
    }
  }
  const denials: Denial[] = [];
  for (const { rule, when, limit } of naming) {
    const used = passed.filter(
      ({ decision }) => decision.reason === "granted" && decision.rule === rule,
    ).length;
    const facts = { call, claims, calls: passed.length };
    const holds = when === undefined || meanings.find(({ text }) => text === when)?.holds(facts);
    if (holds !== true) {
      const reason = holds === false ? "condition_false" : "condition_error";
      denials.push({ effect: "deny", reason, rule, condition: when ?? "" });
    } else if (limit !== undefined && used >= limit) {
      denials.push({ effect: "deny", reason: "limit_reached", rule, limit });
    } else {
      return { granted: rule };
    }
  }
  return denials[0] ?? { effect: "deny", reason: "no_grant" };
}

export function readBy(source: SessionPolicy, { server, kind, name }: Call): readonly string[] {
  const known = source.servers[server];
  const own = kind === "tool" ? known?.tools?.[name]?.reads : undefined;
  return own ?? known?.reads ?? [];
}

export function isNamed(
  { server, tools = [], resources = [], prompts = [], asks = [] }: SessionGrant,
  call: Call,
  claims: Reference["claims"],
): boolean {
  const patterns: readonly string[] = { tool: tools, resource: resources, prompt: prompts, ask: asks }[
    call.kind
  ];
  return server === call.server && patterns.some((pattern) => matches(pattern, call, claims));
}

function matches(pattern: string, { kind, name }: Call, claims: Reference["claims"]): boolean {
  const filled = kind === "resource" ? fill(pattern, claims) : pattern;
  if (filled === undefined) {
    return false;
  }
  if (!filled.endsWith("*")) {
    return filled === name;
  }
  const climbs = kind === "resource" && name.split("/").some((part) => part === ".." || part === ".");
  return name.slice(0, filled.length - 1) === filled.slice(0, -1) && !climbs;
}

function fill(pattern: string, claims: Reference["claims"]): string | undefined {
  const names = pattern.match(/(?<=\{run\.)\w+/g) ?? [];
  return names.every((name) => name in claims)
    ? names.reduce((text, name) => text.replace(`{run.${name}}`, claims[name] ?? ""), pattern)
    : undefined;
}
