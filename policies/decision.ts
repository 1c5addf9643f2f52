/**
 * What a decision is: allow or deny, with the reason and the rule that determined it.
 * Deny is the default; nothing but a grant whose condition holds allows, and a flow rule takes away what grants give.
 */
import type { ReadLabel } from "./labels.ts";
import type { ArgumentsInLog, Inspection, ServerFacts } from "./session-policy.ts";

/**
 * What a message can name on a server: of a resource the name is its URI. An `ask` goes the other way: the server wants
 * something of the agent's side, and its arguments are the server's.
 */
export interface Target {
  readonly server: string;
  readonly kind: "tool" | "resource" | "prompt" | "ask";
  readonly name: string;
}

/** One call as the gate sees it. `args` is the parsed value that will be forwarded, never a second reading. */
export interface Call extends Target {
  readonly args: Readonly<Record<string, unknown>>;
  readonly agent: string;
}

/** What a session has used up so far, of all its agents and servers together. */
export interface Usage {
  /** Calls that were let through. */
  readonly calls: number;
  callsOf(rule: string): number;
  /** Of everything it has asked for. */
  readonly labels: ReadonlySet<ReadLabel>;
}

export type Denial =
  /** No grant names it: for the agent it does not exist. */
  | { readonly effect: "deny"; readonly reason: "no_grant" }
  /** What the session has read took it away: for the agent it does not exist any more. */
  | { readonly effect: "deny"; readonly reason: "flow"; readonly rule: string }
  /** A grant names it, and this condition refused; the agent may be told so. */
  | {
      readonly effect: "deny";
      readonly reason: "condition_false" | "condition_error";
      readonly rule: string;
      readonly condition: string;
    }
  | {
      readonly effect: "deny";
      readonly reason: "limit_reached";
      readonly rule: string;
      /** Calls a session. */
      readonly limit: number;
    };

export type Decision =
  | { readonly effect: "allow"; readonly reason: "granted"; readonly rule: string }
  /** Only looked at: `instead` is what the roles say. */
  | { readonly effect: "allow"; readonly reason: "observed"; readonly instead: Denial }
  | Denial;

/** Whether an agent is shown a name, and why. */
export type Appearance =
  | { readonly visible: true; readonly why: string }
  | { readonly visible: false; readonly why: "no_grant" | "flow" };

export interface CompiledPolicy {
  readonly digest: string;
  readonly mode: "enforce" | "observe";
  /** Whether anything of this server, or anything of one kind, can be reached at all. */
  reaches(server: string, kind?: Target["kind"]): boolean;
  /** Whether a flow rule can take any of this server's tools away in the middle of a session. */
  canLoseTools(server: string): boolean;
  /** `why` is the first rule that names it, whatever its condition; or `observed`. */
  show(target: Target, labels: ReadonlySet<ReadLabel>): Appearance;
  /** Pure: counting what was decided is the caller's, when it records the call. */
  decide(call: Call, usage: Usage): Decision;
  /** What the session has read once it has asked for this. */
  labelsOf(target: Target): readonly ReadLabel[];
  argumentsInLog(rule: string): ArgumentsInLog;
  /** Of what the rule lets through; all there is where no rule is known by the name. */
  inspectionOf(rule: string): Inspection;
  /** Undefined where no lock is kept for the server. */
  lockOf(server: string): ServerFacts["lock"];
}
