/**
 * A decision in words: what a reviewer reads in place of `triager#2` and `limit_reached`.
 * A log can hold any reason and any rule: what is not known is shown as it is.
 */
import { clipName } from "./bounded-text.ts";
import type { GivenPolicy } from "./grants.ts";
import type { FlowView, GrantView } from "./view.ts";

const NAMED = 4;

export interface Explanation {
  readonly explanation: string;
  /** The CEL expression that decided, where one did. */
  readonly condition: string | null;
}

export interface DecidedCall {
  readonly decision: "allow" | "deny";
  readonly reason: string;
  readonly rule?: string | undefined;
  readonly observed?: { readonly reason: string; readonly rule?: string | undefined } | undefined;
}

export function explainDecision(given: GivenPolicy, call: DecidedCall): Explanation {
  if (call.decision === "deny") {
    return explainDenial(given, call);
  }
  if (call.reason === "observed") {
    return explainObserved(given, call.observed);
  }
  const condition = given.grants.get(call.rule ?? "")?.when ?? null;
  const rule = nameRule(given, call.rule);
  return { explanation: condition === null ? rule : `${rule}, as its condition held`, condition };
}

function explainObserved(given: GivenPolicy, instead: DecidedCall["observed"]): Explanation {
  if (instead === undefined) {
    return {
      explanation: "Only observed: the log does not say what the roles would have denied",
      condition: null,
    };
  }
  const { explanation, condition } = explainDenial(given, instead);
  return { explanation: `Only observed, and would have been denied. ${explanation}`, condition };
}

function explainDenial(
  given: GivenPolicy,
  { reason, rule: name }: { readonly reason: string; readonly rule?: string | undefined },
): Explanation {
  const grant = given.grants.get(name ?? "");
  const condition = grant?.when ?? null;
  const rule = nameRule(given, name);
  const plain = (explanation: string): Explanation => ({ explanation, condition: null });
  switch (reason) {
    case "no_grant":
      return plain("No grant names it: the agent was told that it does not exist");
    case "condition_false":
      return { explanation: `${rule} allows it only when`, condition: condition ?? "its condition holds" };
    case "condition_error":
      return { explanation: `${rule}: its condition could not be evaluated:`, condition };
    case "limit_reached":
      return plain(`${rule} is used up: ${describeLimit(grant?.limit ?? null)}`);
    case "flow":
      return plain(
        `${describeFlow(given.flow.get(name ?? ""), name)}: the agent was told that it does not exist`,
      );
    case "drifted":
      return plain("Its definition is not the reviewed one: the agent was told that it does not exist");
    case "unreviewed":
      return plain("Its definition was never reviewed: the agent was told that it does not exist");
    case "unlisted":
      return plain("The server does not list it, so its definition cannot be compared with the reviewed one");
    case "unverified":
      return plain("Its definition was not seen yet, so it could not be compared with the reviewed one");
    case "server_limit":
      return plain("More than the session may ask of the server at a time: the agent was told to try again");
    case "method_not_granted":
      return plain("No agent may use this method, whatever is granted");
    case "session_over":
      return plain("The session was over");
    default:
      return plain(`Refused: ${clipName(reason).replaceAll("_", " ")}`);
  }
}

function describeLimit(limit: number | null): string {
  return limit === null
    ? "its limit was reached"
    : `it allows ${limit} ${limit === 1 ? "call" : "calls"} a session`;
}

function describeFlow(flow: FlowView | undefined, name: string | undefined): string {
  if (flow === undefined) {
    return `${clipName(name ?? "A flow rule")} took it away for what the session had read`;
  }
  const { rule, after, deny } = flow;
  const [, role, n] = /^(.*)~([0-9]+)$/.exec(rule) ?? [];
  const named = role === undefined || n === undefined ? rule : `Flow rule ${n} of ${role}`;
  return `${named} took it away: the session had read ${listWords(after)} content, and this writes where it is ${listWords(deny)}`;
}

function listWords(words: readonly string[]): string {
  return words.map((word) => clipName(word)).join(" or ");
}

/** `triager#2` → `Grant 2 of triager (add_issue_comment)`. */
function nameRule({ grants }: GivenPolicy, name: string | undefined): string {
  const grant = grants.get(name ?? "");
  if (grant === undefined) {
    return clipName(name ?? "a rule");
  }
  const { rule } = grant;
  const [, role, n] = /^(.*)#([0-9]+)$/.exec(rule) ?? [];
  const named = role === undefined || n === undefined ? rule : `Grant ${n} of ${role}`;
  const names = namesOf(grant);
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${named} (${names.slice(0, NAMED).join(", ")}${more})`;
}

/** What a grant names, in one list. */
function namesOf({ tools, resources, prompts, asks }: GrantView): string[] {
  return [...tools, ...resources, ...prompts, ...asks];
}
