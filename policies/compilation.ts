/**
 * A session's policy, compiled: one table per server, exact names first, then prefixes, then conditions.
 * Deny is the default; any one grant whose condition holds allows, and the first of them is the rule that is named.
 */
import type { Condition } from "./condition/condition.ts";
import type { Call, CompiledPolicy, Decision } from "./decision.ts";
import { collectRunFacts } from "./run-facts.ts";
import { digestPolicy, type SessionGrant, type SessionPolicy } from "./session-policy.ts";
import { prefixOf } from "./tool-pattern.ts";

interface Rule {
  readonly name: string;
  readonly condition: Condition | undefined;
  readonly exact: ReadonlySet<string>;
  readonly prefixes: readonly string[];
}

interface ServerTable {
  /** For each name that a grant spells out: all rules that name it, in the order of the policy. */
  readonly exact: ReadonlyMap<string, readonly Rule[]>;
  readonly rules: readonly Rule[];
}

/**
 * Throws where a condition does not compile: the broker loads none that does not.
 * What compiles conditions is large: it is loaded for a policy that has any.
 */
export async function compilePolicy(
  source: SessionPolicy,
  facts: { readonly claims: Readonly<Record<string, unknown>> },
): Promise<CompiledPolicy> {
  const run = collectRunFacts(facts.claims);
  const conditions = await compileConditions(source.grants);
  const tables = new Map(
    Map.groupBy(source.grants, (grant) => grant.server)
      .entries()
      .map(([server, grants]) => [server, compileServer(grants, conditions)]),
  );

  /** Whatever name an agent makes up, nothing is remembered of it. */
  const findRules = (server: string, tool: string): readonly Rule[] => {
    const table = tables.get(server);
    return table?.exact.get(tool) ?? table?.rules.filter((rule) => names(rule, tool)) ?? [];
  };
  return {
    digest: digestPolicy(source),
    ruleNaming: (server, tool) => findRules(server, tool)[0]?.name,
    reaches: (server) => tables.has(server),
    decide: (call) =>
      decide(findRules(call.server, call.tool), (condition) =>
        condition.evaluate({ ...pickFacts(call), run, robot: source.robot }),
      ),
  };
}

function decide(
  rules: readonly Rule[],
  evaluate: (condition: Condition) => "true" | "false" | "error",
): Decision {
  let refusal: Decision = { effect: "deny", reason: "no_grant" };
  for (const { name, condition } of rules) {
    const outcome = condition === undefined ? "true" : evaluate(condition);
    if (outcome === "true" || condition === undefined) {
      return { effect: "allow", reason: "granted", rule: name };
    }
    if (refusal.reason === "no_grant") {
      const reason = outcome === "false" ? "condition_false" : "condition_error";
      refusal = { effect: "deny", reason, rule: name, condition: condition.source };
    }
  }
  return refusal;
}

function pickFacts({ args, tool, server, agent }: Call): Call {
  return { args, tool, server, agent };
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

function compileServer(grants: readonly SessionGrant[], conditions: Conditions): ServerTable {
  const rules = grants.map((grant) => compileGrant(grant, conditions.get(grant)));
  const spelledOut = new Set(rules.flatMap((rule) => [...rule.exact]));
  return {
    rules,
    exact: new Map([...spelledOut].map((tool) => [tool, rules.filter((rule) => names(rule, tool))])),
  };
}

function compileGrant(grant: SessionGrant, condition: Condition | undefined): Rule {
  return {
    name: grant.rule,
    condition,
    exact: new Set(grant.tools.filter((pattern) => prefixOf(pattern) === undefined)),
    prefixes: grant.tools.flatMap((pattern) => prefixOf(pattern) ?? []),
  };
}

function names(rule: Rule, tool: string): boolean {
  return rule.exact.has(tool) || rule.prefixes.some((prefix) => tool.startsWith(prefix));
}
