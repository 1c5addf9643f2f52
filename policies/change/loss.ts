/**
 * What a session lost from one policy to the next, in the words of its rules: for the log and for reviewers.
 */
import type { SessionGrant, SessionPolicy } from "../session-policy.ts";

/** More than a reader takes in; the two policies have all of it. */
const MAX_LOSSES = 100;

/** `triager#2`: a rule that is gone. `triager#2 create_issue`: a name that it no longer gives. `triager~3 (new)`: a flow rule that was added. */
export function describeLoss(before: SessionPolicy, after: SessionPolicy): string[] {
  const kept = new Map(after.grants.map((grant) => [grant.rule, grant]));
  const known = new Set(before.flow.map(({ rule }) => rule));
  const losses = [
    ...before.grants.flatMap((grant) => {
      const left = kept.get(grant.rule);
      return left === undefined ? [grant.rule] : listLostNames(grant, left);
    }),
    ...after.flow.filter(({ rule }) => !known.has(rule)).map(({ rule }) => `${rule} (new)`),
    ...(before.mode === "observe" && after.mode === "enforce" ? ["observe"] : []),
    ...(JSON.stringify(before.servers) === JSON.stringify(after.servers) ? [] : ["facts about servers"]),
  ];
  const more = losses.length - MAX_LOSSES;
  return more > 0 ? [...losses.slice(0, MAX_LOSSES), `and ${more} more`] : losses;
}

function listLostNames(before: SessionGrant, after: SessionGrant): string[] {
  const left = new Set(namesOf(after));
  return namesOf(before)
    .filter((name) => !left.has(name))
    .map((name) => `${before.rule} ${name}`);
}

function namesOf({ tools = [], resources = [], prompts = [], asks = [] }: SessionGrant): string[] {
  return [...tools, ...resources, ...prompts, ...asks];
}
