/**
 * The decision on one `tools/call`, and the answer that a refusal gives. Nothing is asked of the server.
 */
import type { CompiledPolicy } from "../../policies/decision.ts";
import { type ClientRequest, isObject } from "../messages/envelope.ts";
import {
  type Answer,
  refuseByCondition,
  refuseEndedSession,
  refuseInvalidCall,
  refuseUnknownTool,
} from "../messages/refusals.ts";
import type { Era } from "../messages/revision.ts";
import type { SessionState } from "./gate-context.ts";

export type CallVerdict =
  | { readonly effect: "allow"; readonly tool: string; readonly reason: string; readonly rule: string }
  | {
      readonly effect: "deny";
      readonly tool?: string;
      readonly reason: string;
      readonly rule?: string;
      readonly refusal: Answer;
    };

export interface CallCircumstances {
  readonly policy: CompiledPolicy;
  readonly state: SessionState;
  readonly server: string;
  readonly agent: string;
  readonly era: Era;
}

export function judgeCall({ id, params }: ClientRequest, circumstances: CallCircumstances): CallVerdict {
  const { policy, state, server, agent, era } = circumstances;
  const { name: tool, arguments: args = {} } = params ?? {};
  if (typeof tool !== "string") {
    return { effect: "deny", reason: "invalid_params", refusal: refuseInvalidCall(id) };
  }
  if (!state.active) {
    return {
      effect: "deny",
      tool,
      reason: "session_over",
      refusal: refuseEndedSession(id, era, state.reason),
    };
  }
  const decision = policy.decide({ server, tool, args: isObject(args) ? args : {}, agent });
  if (decision.reason === "no_grant") {
    return { effect: "deny", tool, reason: decision.reason, refusal: refuseUnknownTool(id, tool) };
  }
  if (!isObject(args)) {
    return { effect: "deny", tool, reason: "invalid_params", refusal: refuseInvalidCall(id) };
  }
  if (decision.effect === "deny") {
    const { reason, rule } = decision;
    return { effect: "deny", tool, reason, rule, refusal: refuseByCondition(id, era, decision) };
  }
  return { effect: "allow", tool, reason: decision.reason, rule: decision.rule };
}
