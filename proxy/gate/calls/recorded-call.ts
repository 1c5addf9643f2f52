/**
 * One decision on its way to the log: recorded and counted in one step with the decision, so that what runs beside it
 * finds it counted, and before anything is forwarded.
 */
import type { Call } from "../../../policies/decision.ts";
import type { ReadLabel } from "../../../policies/labels.ts";
import { eraOf, findTraceparent } from "../sender.ts";
import type { CallDecision, CallFacts } from "../../recording.ts";
import { type CallVerdict, judgeCall, type Permission } from "./call-decision.ts";
import type { Naming } from "../named-things.ts";
import { type Asked, findClient, type GateContext, sightingOf } from "../gate-context.ts";

/** On what the request says; nothing is remembered of it. */
export function decideCall(
  context: GateContext,
  { sender, request }: Pick<Asked, "sender" | "request">,
): CallVerdict {
  const { policy, usage, visibility, server } = context;
  return judgeCall(request, {
    ...{ policy, usage, visibility, server },
    era: eraOf(request),
    sighting: sightingOf(context, sender),
    state: context.sessionState(),
    agent: sender.agent,
  });
}

/** Returns the id of the call. Throws `RecordingFailed`; nothing is counted then, and nothing may be forwarded. */
export function recordVerdict(
  context: GateContext,
  { sender, request }: Pick<Asked, "sender" | "request">,
  verdict: CallVerdict,
): string {
  const facts: CallFacts = {
    id: sender.callIds?.take(),
    credential: context.credential(),
    agent: sender.agent,
    client: findClient(context, sender, request),
    server: context.server,
    method: request.method,
    named: nameThing(verdict.naming),
    args: verdict.naming === undefined ? request.params?.["arguments"] : verdict.naming.logged,
    argumentsInLog: verdict.argumentsInLog,
    traceparent: findTraceparent(request),
  };
  if (verdict.effect === "deny") {
    const { reason, rule } = verdict;
    return context.recording.recordCall(facts, { decision: "deny", reason, rule });
  }
  return verdict.isUse
    ? recordUse(context, facts, verdict)
    : context.recording.recordCall(facts, describePermission(verdict.decision, []));
}

export interface Use {
  readonly call: Call;
  readonly decision: Permission;
}

/** Of whatever is let through and uses something. Throws `RecordingFailed`; nothing is counted then. */
export function recordUse(
  context: Pick<GateContext, "policy" | "usage" | "recording" | "labelsGained">,
  facts: CallFacts,
  use: Use,
): string {
  const { policy, usage, recording } = context;
  const gained = policy.labelsOf(use.call).filter((label) => !usage.labels.has(label));
  const id = recording.recordCall(facts, describePermission(use.decision, gained));
  count(context, use, gained);
  return id;
}

/** What is asked for has no name but its method's. */
function nameThing(naming: Naming | undefined): CallFacts["named"] {
  if (naming === undefined || naming.kind === "ask") {
    return undefined;
  }
  const { kind, name } = naming;
  return { kind, name };
}

function describePermission(decision: Permission, labels: readonly ReadLabel[]): CallDecision {
  if (decision.reason === "granted") {
    return { decision: "allow", reason: decision.reason, rule: decision.rule, labels };
  }
  const { instead } = decision;
  const observed = { reason: instead.reason, ...("rule" in instead && { rule: instead.rule }) };
  return { decision: "allow", reason: decision.reason, observed, labels };
}

/** All agents are told what is gone before the server has the call, and so before there is an answer. */
function count(
  context: Pick<GateContext, "usage" | "labelsGained">,
  { call, decision }: Use,
  gained: readonly ReadLabel[],
): void {
  const before = gained.length === 0 ? undefined : new Set(context.usage.labels);
  context.usage.count(call, decision);
  if (before !== undefined) {
    context.labelsGained(before);
  }
}
