/**
 * Which rules name something on one server: looked up by the name, or by the longest prefix that a rule spells out.
 * Every list is made once, in the order of the policy; whatever name an agent makes up, nothing is remembered of it.
 */
import type { Condition } from "./condition/condition.ts";
import type { Decision, Denial, Target } from "./decision.ts";
import { compileResource, isPlainUri } from "./resource-pattern.ts";
import type { RunFacts } from "./run-facts.ts";
import type { SessionGrant } from "./session-policy.ts";
import { prefixOf } from "./tool-pattern.ts";

/** One grant, with every answer that it can give; what it has no condition or limit for is never asked of it. */
export interface Rule {
  readonly name: string;
  readonly condition: Condition | undefined;
  readonly limit: number | undefined;
  readonly granted: Decision;
  readonly conditionFalse: Denial;
  readonly conditionError: Denial;
  readonly limitReached: Denial;
}

export function createRule({ rule, when = "", limit = 0 }: SessionGrant, condition?: Condition): Rule {
  const effect = "deny";
  const denyBy = (reason: "condition_false" | "condition_error"): Denial =>
    Object.freeze({ effect, reason, rule, condition: when });
  return Object.freeze({
    name: rule,
    condition,
    limit: limit === 0 ? undefined : limit,
    granted: Object.freeze({ effect: "allow", reason: "granted", rule }),
    conditionFalse: denyBy("condition_false"),
    conditionError: denyBy("condition_error"),
    limitReached: Object.freeze({ effect, reason: "limit_reached", rule, limit }),
  });
}

interface RuleTable {
  /** Nothing can be named in it. */
  readonly isEmpty: boolean;
  /** All rules that name it, in the order of the policy. */
  find(name: string): readonly Rule[];
}

export type ServerTables = Readonly<Record<Target["kind"], RuleTable>>;

export function compileTables(
  grants: readonly SessionGrant[],
  { rules, run }: { readonly rules: ReadonlyMap<SessionGrant, Rule>; readonly run: RunFacts },
): ServerTables {
  const tableOf = (patternsOf: (grant: SessionGrant) => readonly Pattern[], isPrefixable?: Prefixable) =>
    compileTable(
      grants.flatMap((grant) => {
        const rule = rules.get(grant);
        return rule === undefined ? [] : [{ rule, patterns: patternsOf(grant) }];
      }),
      isPrefixable,
    );
  return {
    tool: tableOf(({ tools = [] }) => tools.map(compileName)),
    resource: tableOf(
      ({ resources = [] }) => resources.flatMap((pattern) => compileResource(pattern, run) ?? []),
      isPlainUri,
    ),
    prompt: tableOf(({ prompts = [] }) => prompts.map(compileName)),
    ask: tableOf(({ asks = [] }) => asks.map(compileName)),
  };
}

interface Pattern {
  readonly text: string;
  readonly isPrefix: boolean;
}

/** Whether a name may be matched by a prefix at all. */
type Prefixable = (name: string) => boolean;

function compileName(pattern: string): Pattern {
  const prefix = prefixOf(pattern);
  return { text: prefix ?? pattern, isPrefix: prefix !== undefined };
}

interface NamingRule {
  readonly rule: Rule;
  readonly patterns: readonly Pattern[];
}

const NO_RULES: readonly Rule[] = [];

function compileTable(naming: readonly NamingRule[], isPrefixable: Prefixable = () => true): RuleTable {
  const patterns = naming.flatMap((each) => each.patterns);
  const textsOf = (wanted: boolean): Set<string> =>
    new Set(patterns.filter(({ isPrefix }) => isPrefix === wanted).map(({ text }) => text));
  const findRules = (matches: (pattern: Pattern) => boolean): readonly Rule[] =>
    naming.filter((each) => each.patterns.some(matches)).map(({ rule }) => rule);

  const byName = new Map(
    [...textsOf(false)].map((name) => [
      name,
      findRules(({ text, isPrefix }) =>
        isPrefix ? name.startsWith(text) && isPrefixable(name) : name === text,
      ),
    ]),
  );
  /** Whoever begins with a prefix begins with every shorter one that this begins with: their rules are in its list. */
  const byPrefix = new Map(
    [...textsOf(true)].map((prefix) => [
      prefix,
      findRules(({ text, isPrefix }) => isPrefix && prefix.startsWith(text)),
    ]),
  );
  const lengths = [...new Set([...byPrefix.keys()].map((prefix) => prefix.length))].sort((a, b) => b - a);

  const findByPrefix = (name: string): readonly Rule[] => {
    for (const length of lengths) {
      const rules = byPrefix.get(name.slice(0, length));
      if (rules !== undefined) {
        return isPrefixable(name) ? rules : NO_RULES;
      }
    }
    return NO_RULES;
  };
  return { isEmpty: patterns.length === 0, find: (name) => byName.get(name) ?? findByPrefix(name) };
}
