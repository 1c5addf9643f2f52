/**
 * The decision on one request that names something, and the answer that a refusal gives. Nothing is asked of the server.
 */
import type { Call, CompiledPolicy, Decision, Usage } from "../../../policies/decision.ts";
import type { ArgumentsInLog } from "../../../policies/session-policy.ts";
import { type ClientRequest, isObject } from "../../messages/envelope.ts";
import {
  type Answer,
  type Asking,
  refuseByCondition,
  refuseByLimit,
  refuseEndedSession,
  refuseInvalidCall,
  refuseUnknown,
  refuseUnverified,
} from "../../messages/refusals.ts";
import type { Era } from "../../messages/revision.ts";
import type { SessionState } from "../gate-context.ts";
import { NAMED_METHODS, type Naming, UNSUBSCRIBE } from "../named-things.ts";
import type { Sighting } from "../lists/sighting.ts";
import type { Visibility } from "../lists/visibility.ts";

export type Permission = Extract<Decision, { effect: "allow" }>;

export type CallVerdict =
  | {
      readonly effect: "allow";
      readonly naming: Naming;
      readonly call: Call;
      readonly decision: Permission;
      /** Whether the session uses something by it; it does not by giving something up. */
      readonly isUse: boolean;
      readonly argumentsInLog: ArgumentsInLog;
    }
  | {
      readonly effect: "deny";
      readonly naming?: Naming;
      readonly reason: string;
      readonly rule?: string;
      readonly argumentsInLog: ArgumentsInLog;
      readonly refusal: Answer;
    };

export interface CallCircumstances {
  readonly policy: CompiledPolicy;
  readonly usage: Usage;
  readonly visibility: Visibility;
  readonly sighting: Sighting;
  readonly state: SessionState;
  readonly server: string;
  readonly agent: string;
  readonly era: Era;
}

const NOTHING_READ: Usage["labels"] = new Set();

/** Of a method that names something. */
export function judgeCall(
  { id, method, params }: ClientRequest,
  circumstances: CallCircumstances,
): CallVerdict {
  const { policy, usage, state, server, agent, era } = circumstances;
  const named = NAMED_METHODS.get(method);
  const naming = named?.read(params ?? {});
  const form = `${method} takes ${named?.takes ?? "something else"}`;
  if (naming === undefined) {
    const refusal = refuseInvalidCall(id, form);
    return { effect: "deny", reason: "invalid_params", argumentsInLog: "full", refusal };
  }
  const { kind, name, args } = naming;
  const asking: Asking = { id, era, kind };
  const call: Call = { server, kind, name, args: isObject(args) ? args : {}, agent };
  const isUse = method !== UNSUBSCRIBE;
  const decision = isUse ? policy.decide(call, usage) : judgeGivingUp(policy, call, usage);
  const argumentsInLog = policy.argumentsInLog(findGrant(policy, call, decision));
  const deny = (reason: string, refusal: Answer, rule?: string): CallVerdict => ({
    ...{ effect: "deny", naming, reason, argumentsInLog, refusal },
    ...(rule !== undefined && { rule }),
  });
  if (!state.active) {
    return deny("session_over", refuseEndedSession(asking, state.reason));
  }
  if (decision.reason === "no_grant") {
    return deny(decision.reason, refuseUnknown(asking, name));
  }
  if (decision.reason === "flow") {
    return deny(decision.reason, refuseUnknown(asking, name), decision.rule);
  }
  const fault = kind === "tool" ? findLockFault(name, circumstances) : undefined;
  if (fault !== undefined) {
    const isUnverified = fault === "unverified";
    return deny(fault, isUnverified ? refuseUnverified(asking, name) : refuseUnknown(asking, name));
  }
  if (!isObject(args)) {
    return deny("invalid_params", refuseInvalidCall(id, form));
  }
  if (decision.effect === "deny") {
    const { reason, rule } = decision;
    const refusal =
      decision.reason === "limit_reached"
        ? refuseByLimit(asking, decision)
        : refuseByCondition(asking, decision);
    return deny(reason, refusal, rule);
  }
  return { effect: "allow", naming, call, decision, isUse, argumentsInLog };
}

/** What was granted can be given up, whatever its conditions and limits say by now. */
function judgeGivingUp(policy: CompiledPolicy, call: Call, { labels }: Usage): Decision {
  const shown = policy.show(call, labels);
  return shown.visible
    ? { effect: "allow", reason: "granted", rule: shown.why }
    : { effect: "deny", reason: "no_grant" };
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
