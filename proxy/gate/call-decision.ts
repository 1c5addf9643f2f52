/**
 * The decision on one `tools/call`, and the answer that a refusal gives. Nothing is asked of the server.
 */
import type { Call, CompiledPolicy, Decision, Usage } from "../../policies/decision.ts";
import type { ArgumentsInLog } from "../../policies/session-policy.ts";
import { type ClientRequest, isObject } from "../messages/envelope.ts";
import {
  type Answer,
  refuseByCondition,
  refuseByLimit,
  refuseEndedSession,
  refuseInvalidCall,
  refuseUnknownTool,
  refuseUnverified,
} from "../messages/refusals.ts";
import type { Era } from "../messages/revision.ts";
import type { SessionState } from "./gate-context.ts";
import type { Sighting } from "./sighting.ts";
import type { ToolVisibility } from "./tool-visibility.ts";

export type CallVerdict =
  | {
      readonly effect: "allow";
      readonly tool: string;
      readonly call: Call;
      readonly decision: Extract<Decision, { effect: "allow" }>;
      readonly argumentsInLog: ArgumentsInLog;
    }
  | {
      readonly effect: "deny";
      readonly tool?: string;
      readonly reason: string;
      readonly rule?: string;
      readonly argumentsInLog: ArgumentsInLog;
      readonly refusal: Answer;
    };

export interface CallCircumstances {
  readonly policy: CompiledPolicy;
  readonly usage: Usage;
  readonly visibility: ToolVisibility;
  readonly sighting: Sighting;
  readonly state: SessionState;
  readonly server: string;
  readonly agent: string;
  readonly era: Era;
}

const NOTHING_READ: Usage["labels"] = new Set();

export function judgeCall({ id, params }: ClientRequest, circumstances: CallCircumstances): CallVerdict {
  const { policy, usage, state, server, agent, era } = circumstances;
  const { name: tool, arguments: args = {} } = params ?? {};
  if (typeof tool !== "string") {
    const refusal = refuseInvalidCall(id);
    return { effect: "deny", reason: "invalid_params", argumentsInLog: "full", refusal };
  }
  const call: Call = { server, kind: "tool", name: tool, args: isObject(args) ? args : {}, agent };
  const decision = policy.decide(call, usage);
  const argumentsInLog = policy.argumentsInLog(findGrant(policy, call, decision));
  const deny = (reason: string, refusal: Answer, rule?: string): CallVerdict => ({
    ...{ effect: "deny", tool, reason, argumentsInLog, refusal },
    ...(rule !== undefined && { rule }),
  });
  if (!state.active) {
    return deny("session_over", refuseEndedSession(id, era, state.reason));
  }
  if (decision.reason === "no_grant") {
    return deny(decision.reason, refuseUnknownTool(id, tool));
  }
  if (decision.reason === "flow") {
    return deny(decision.reason, refuseUnknownTool(id, tool), decision.rule);
  }
  const fault = findLockFault(tool, circumstances);
  if (fault !== undefined) {
    const isUnverified = fault === "unverified";
    return deny(fault, isUnverified ? refuseUnverified(id, era, tool) : refuseUnknownTool(id, tool));
  }
  if (!isObject(args)) {
    return deny("invalid_params", refuseInvalidCall(id));
  }
  if (decision.effect === "deny") {
    const { reason, rule } = decision;
    const refusal =
      decision.reason === "limit_reached"
        ? refuseByLimit(id, era, decision)
        : refuseByCondition(id, era, decision);
    return deny(reason, refusal, rule);
  }
  return { effect: "allow", tool, call, decision, argumentsInLog };
}

type LockFault = "drifted" | "unreviewed" | "unlisted" | "unverified";

/** By the definition that the session has seen last. */
function findLockFault(tool: string, { visibility, sighting }: CallCircumstances): LockFault | undefined {
  if (!visibility.isLocked) {
    return undefined;
  }
  if (visibility.lockedDigestOf(tool) === undefined) {
    return "unreviewed";
  }
  const seen = sighting.digestOf(tool);
  if (seen === undefined) {
    return sighting.isWhole ? "unlisted" : "unverified";
  }
  return visibility.judgeDefinition(tool, seen) === "reviewed" ? undefined : "drifted";
}

/** How much of a call the log holds is its grant's word; where something else decided, that of the first that names it. */
function findGrant(policy: CompiledPolicy, call: Call, decision: Decision): string {
  const said = decision.reason === "observed" ? decision.instead : decision;
  return "rule" in said && said.reason !== "flow" ? said.rule : policy.show(call, NOTHING_READ).why;
}
