/**
 * What a decision is: allow or deny, with the reason and the rule that determined it.
 * Deny is the default; nothing but a grant whose condition holds allows.
 */

/** One call as the gate sees it. `args` is the parsed value that will be forwarded, never a second reading. */
export interface Call {
  readonly server: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly agent: string;
}

export type Decision =
  | { readonly effect: "allow"; readonly reason: "granted"; readonly rule: string }
  /** No grant names it: for the agent it does not exist. */
  | { readonly effect: "deny"; readonly reason: "no_grant" }
  /** A grant names it, and this condition refused; the agent may be told so. */
  | {
      readonly effect: "deny";
      readonly reason: "condition_false" | "condition_error";
      readonly rule: string;
      readonly condition: string;
    };

export interface CompiledPolicy {
  readonly digest: string;
  /** The first rule that names this tool of this server, whatever its condition; undefined: it does not exist. */
  ruleNaming(server: string, tool: string): string | undefined;
  /** Whether any grant reaches this server at all. */
  reaches(server: string): boolean;
  decide(call: Call): Decision;
}
