/**
 * The grants a session was given, and a rule's name in words: what a reviewer reads in place of `triager#2`.
 */
import { SessionPolicy } from "../../policies/session-policy.ts";
import { clipName } from "./bounded-text.ts";
import type { GrantView } from "./view.ts";

const NAMED_TOOLS = 4;

export type Grants = ReadonlyMap<string, GrantView>;

/** Reads the canonical policy of a session row; it was written by this broker, so what does not fit is a surprise. */
export function readGrants(policy: string): Grants {
  const { grants } = SessionPolicy.parse(JSON.parse(policy));
  return new Map(
    grants.map(({ rule, server, tools, when }) => [rule, { rule, server, tools, when: when ?? null }]),
  );
}

/** What a decision rested on, in words. A log can hold any reason: an unknown one is shown as it is. */
export function explainDecision(
  grants: Grants,
  call: { decision: "allow" | "deny"; reason: string; rule?: string | undefined },
): { explanation: string; condition: string | null } {
  const grant = call.rule === undefined ? undefined : grants.get(call.rule);
  const condition = grant?.when ?? null;
  const rule = grant === undefined ? clipName(call.rule ?? "a rule") : nameGrant(grant);
  if (call.decision === "allow") {
    return { explanation: condition === null ? rule : `${rule}, as its condition held`, condition };
  }
  switch (call.reason) {
    case "no_grant":
      return { explanation: "No grant names it: the agent was told that it does not exist", condition };
    case "condition_false":
      return { explanation: `${rule} allows it only when`, condition: condition ?? "its condition holds" };
    case "condition_error":
      return { explanation: `${rule}: its condition could not be evaluated:`, condition };
    default:
      return { explanation: `Refused: ${clipName(call.reason).replaceAll("_", " ")}`, condition };
  }
}

/** `triager#2` → `Grant 2 of triager (add_issue_comment)`. */
function nameGrant({ rule, tools }: GrantView): string {
  const [, role, n] = /^(.*)#([0-9]+)$/.exec(rule) ?? [];
  const name = role === undefined || n === undefined ? rule : `Grant ${n} of ${role}`;
  const more = tools.length > NAMED_TOOLS ? ` and ${tools.length - NAMED_TOOLS} more` : "";
  return `${name} (${tools.slice(0, NAMED_TOOLS).join(", ")}${more})`;
}
