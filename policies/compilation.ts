/**
 * A session's policy, compiled: one table per server and kind, exact names first, then prefixes, then conditions.
 * Deny is the default; any one grant whose condition holds allows, and the first of them is the rule that is named.
 * A flow rule takes away whatever the grants say. Nothing of it changes afterwards, and nothing is remembered of a call.
 */
import type { Condition, ConditionFacts } from "./condition/condition.ts";
import type { Appearance, Call, CompiledPolicy, Decision, Denial, Target, Usage } from "./decision.ts";
import type { ReadLabel, WriteLabel } from "./labels.ts";
import { compileTables, createRule, type Rule } from "./rule-table.ts";
import { collectRunFacts } from "./run-facts.ts";
import {
  digestPolicy,
  type Inspection,
  type ServerFacts,
  type SessionFlow,
  type SessionGrant,
  type SessionPolicy,
} from "./session-policy.ts";

const NO_RULES: readonly Rule[] = [];
const NO_LABELS: readonly never[] = Object.freeze([]);
const FULL_INSPECTION: Inspection = Object.freeze({ secrets: "redact", text: "clean" });
const NO_GRANT: Denial = Object.freeze({ effect: "deny", reason: "no_grant" });

/**
 * Throws where a condition does not compile: the broker loads none that does not.
 * What compiles conditions is large: it is loaded for a policy that has any.
 */
export async function compilePolicy(
  given: SessionPolicy,
  { claims }: { readonly claims: Readonly<Record<string, unknown>> },
): Promise<CompiledPolicy> {
  const source = freeze(structuredClone(given));
  const { robot, mode, flow } = source;
  const run = collectRunFacts(claims);
  const conditions = await compileConditions(source.grants);
  const rules = new Map(source.grants.map((grant) => [grant, createRule(grant, conditions.get(grant))]));
  const tables = new Map(
    [...Map.groupBy(source.grants, ({ server }) => server)].map(([server, grants]) => [
      server,
      compileTables(grants, { rules, run }),
    ]),
  );
  const servers = new Map(Object.entries(source.servers).map(([name, known]) => [name, compileFacts(known)]));
  const audits = new Map(source.grants.map((grant) => [grant.rule, grant.arguments ?? "full"]));
  const inspections = new Map(source.grants.map((grant) => [grant.rule, findInspection(grant)]));

  const findRules = ({ server, kind, name }: Target): readonly Rule[] =>
    tables.get(server)?.[kind].find(name) ?? NO_RULES;
  const findFlow = (target: Target, labels: ReadonlySet<ReadLabel>): SessionFlow | undefined => {
    if (labels.size === 0 || flow.length === 0) {
      return undefined;
    }
    const written = servers.get(target.server)?.writesOf(target) ?? NO_LABELS;
    return flow.find(
      ({ after, deny }) =>
        deny.some((label) => written.includes(label)) && after.some((label) => labels.has(label)),
    );
  };
  const isObserved = (target: Target): boolean =>
    mode === "observe" && servers.get(target.server)?.isReadOnly(target) === true;

  const judge = (call: Call, usage: Usage): Decision => {
    const naming = findRules(call);
    if (naming.length === 0) {
      return NO_GRANT;
    }
    const taken = findFlow(call, usage.labels);
    if (taken !== undefined) {
      return { effect: "deny", reason: "flow", rule: taken.rule };
    }
    const { args, name: tool, server, agent } = call;
    return applyRules(naming, usage, { args, tool, server, agent, run, robot, calls: usage.calls });
  };
  return Object.freeze<CompiledPolicy>({
    digest: digestPolicy(source),
    mode,
    reaches: (server, kind) => {
      const known = servers.get(server);
      const isNamed = kind === undefined || tables.get(server)?.[kind].isEmpty === false;
      return known !== undefined && (isNamed || (mode === "observe" && kind === "tool" && known.hasReadOnly));
    },
    canLoseTools: (server) => {
      const written = servers.get(server)?.written ?? NO_LABELS;
      return flow.some(({ deny }) => deny.some((label) => written.includes(label)));
    },
    show: (target, labels): Appearance => {
      const rule = findRules(target)[0];
      const taken = rule === undefined ? undefined : findFlow(target, labels);
      if (rule !== undefined && taken === undefined) {
        return { visible: true, why: rule.name };
      }
      return isObserved(target)
        ? { visible: true, why: "observed" }
        : { visible: false, why: rule === undefined ? "no_grant" : "flow" };
    },
    decide: (call, usage) => {
      const decision = judge(call, usage);
      return decision.effect === "deny" && isObserved(call)
        ? { effect: "allow", reason: "observed", instead: decision }
        : decision;
    },
    labelsOf: (target) => servers.get(target.server)?.readsOf(target) ?? NO_LABELS,
    argumentsInLog: (rule) => audits.get(rule) ?? "full",
    inspectionOf: (rule) => inspections.get(rule) ?? FULL_INSPECTION,
    lockOf: (server) => servers.get(server)?.lock,
  });
}

function findInspection({ inspect: { secrets = "redact", text = "clean" } = {} }: SessionGrant): Inspection {
  return Object.freeze({ secrets, text });
}

/** The first rule that allows; where none does, what the first one says. */
function applyRules(rules: readonly Rule[], usage: Usage, facts: ConditionFacts): Decision {
  let refusal: Denial | undefined;
  for (const rule of rules) {
    const denial = applyRule(rule, usage, facts);
    if (denial === undefined) {
      return rule.granted;
    }
    refusal ??= denial;
  }
  return refusal ?? NO_GRANT;
}

function applyRule(rule: Rule, usage: Usage, facts: ConditionFacts): Denial | undefined {
  switch (rule.condition?.evaluate(facts)) {
    case "false":
      return rule.conditionFalse;
    case "error":
      return rule.conditionError;
    case "true":
    case undefined:
      return rule.limit !== undefined && usage.callsOf(rule.name) >= rule.limit
        ? rule.limitReached
        : undefined;
  }
}

type Conditions = ReadonlyMap<SessionGrant, Condition>;

async function compileConditions(grants: readonly SessionGrant[]): Promise<Conditions> {
  const conditional = grants.filter((grant) => grant.when !== undefined);
  if (conditional.length === 0) {
    return new Map();
  }
  const { compileCondition } = await import("./condition/condition.ts");
  return new Map(
    conditional.map((grant) => {
      const compiled = compileCondition(grant.when ?? "");
      if (!compiled.ok) {
        throw new Error(`the condition of ${grant.rule} does not compile: ${compiled.message}`);
      }
      return [grant, compiled.condition];
    }),
  );
}

interface CompiledFacts {
  readsOf(target: Target): readonly ReadLabel[];
  writesOf(target: Target): readonly WriteLabel[];
  isReadOnly(target: Target): boolean;
  /** By any tool. */
  readonly written: readonly WriteLabel[];
  readonly hasReadOnly: boolean;
  readonly lock: ServerFacts["lock"];
}

/**
 * A tool's own word goes before its server's; resources, prompts and what the server asks contain what its answers do.
 * What it asks for, it gets: the answer is written where the server writes. It gets nothing by what it logs.
 */
function compileFacts({ reads = [], writes = [], tools = {}, lock }: ServerFacts): CompiledFacts {
  const byName = new Map(Object.entries(tools));
  const ownOf = ({ kind, name }: Target) => (kind === "tool" ? byName.get(name) : undefined);
  return {
    readsOf: (target) => ownOf(target)?.reads ?? reads,
    writesOf: (target) => ownOf(target)?.writes ?? (isWriting(target) ? writes : NO_LABELS),
    isReadOnly: (target) => ownOf(target)?.read_only === true,
    written: [...writes, ...[...byName.values()].flatMap((tool): readonly WriteLabel[] => tool.writes ?? [])],
    hasReadOnly: [...byName.values()].some((tool) => tool.read_only === true),
    lock,
  };
}

function isWriting({ kind, name }: Target): boolean {
  return kind === "tool" || (kind === "ask" && name !== "logging");
}

/** With everything in it: whoever is shown a part cannot change it. */
function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}
