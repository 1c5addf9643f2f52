/**
 * One decision on its way to the log: recorded and counted in one step with the decision, so that what runs beside it
 * finds it counted, and before anything is forwarded.
 */
import type { ReadLabel } from "../../policies/labels.ts";
import { eraOf, findTraceparent } from "./sender.ts";
import type { CallDecision } from "../recording.ts";
import { type CallVerdict, judgeCall } from "./call-decision.ts";
import { type Asked, findClient, type GateContext, sightingOf } from "./gate-context.ts";

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
  const { policy, usage, recording, server } = context;
  const gained =
    verdict.effect === "allow" && verdict.isUse
      ? policy.labelsOf(verdict.call).filter((label) => !usage.labels.has(label))
      : [];
  const id = recording.recordCall(
    {
      agent: sender.agent,
      client: findClient(context, sender, request),
      server,
      method: request.method,
      named: verdict.naming,
      args: verdict.naming === undefined ? request.params?.["arguments"] : verdict.naming.logged,
      argumentsInLog: verdict.argumentsInLog,
      traceparent: findTraceparent(request),
    },
    describeDecision(verdict, gained),
  );
  if (verdict.effect === "allow" && verdict.isUse) {
    count(context, verdict, gained);
  }
  return id;
}

function describeDecision(verdict: CallVerdict, labels: readonly ReadLabel[]): CallDecision {
  if (verdict.effect === "deny") {
    return { decision: "deny", reason: verdict.reason, rule: verdict.rule };
  }
  const { decision } = verdict;
  if (decision.reason === "granted") {
    return { decision: "allow", reason: decision.reason, rule: decision.rule, labels };
  }
  const { instead } = decision;
  const observed = { reason: instead.reason, ...("rule" in instead && { rule: instead.rule }) };
  return { decision: "allow", reason: decision.reason, observed, labels };
}

type Allowed = Extract<CallVerdict, { effect: "allow" }>;

/** All agents are told what is gone before the server has the call, and so before there is an answer. */
function count(context: GateContext, { call, decision }: Allowed, gained: readonly ReadLabel[]): void {
  const before = gained.length === 0 ? undefined : new Set(context.usage.labels);
  context.usage.count(call, decision);
  if (before !== undefined) {
    context.labelsGained(before);
  }
}
