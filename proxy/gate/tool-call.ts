/**
 * `tools/call`: decided, recorded, counted, forwarded, in this order and in one step: what runs beside it finds it
 * counted. When it cannot be recorded, it is not forwarded.
 */
import type { ReadLabel } from "../../policies/labels.ts";
import { send } from "../front/reply.ts";
import type { ClientRequest } from "../messages/envelope.ts";
import { buildParamFields, type ParamFields } from "../messages/param-fields.ts";
import { answerFailure, refuseDisagreement, refuseMessage, refuseUnrecorded } from "../messages/refusals.ts";
import type { CallDecision } from "../recording.ts";
import { type CallVerdict, judgeCall } from "./call-decision.ts";
import { withoutClientCapabilities } from "./capabilities.ts";
import { type Asked, findClient, type GateContext, recordOr, sightingOf } from "./gate-context.ts";
import { eraOf, findTraceparent } from "./sender.ts";
import { needsLook, lookAtTools } from "./tool-lookup.ts";
import { judgeToolResult } from "./tool-result.ts";

/** A locked tool is looked at before it is called for the first time; nothing of the call is decided until then. */
export function passToolCall(context: GateContext, asked: Asked): void {
  const { sender, request, reply } = asked;
  if (!needsLook(context, sender, request)) {
    decideToolCall(context, asked);
    return;
  }
  const { session } = sender;
  session?.held.add(request.id);
  void lookAtTools(context, asked).then(() => {
    if (session?.held.delete(request.id) === false) {
      send(reply, answerFailure(request.id, "The call was cancelled"));
    } else if (session?.hasInFlight(request.id) === true) {
      send(reply, refuseMessage("a request with this id is in flight"));
    } else if (!reply.isOver) {
      decideToolCall(context, asked);
    }
  });
}

function decideToolCall(context: GateContext, asked: Asked): void {
  const { policy, usage, visibility, server, recording } = context;
  const { sender, request, reply } = asked;
  const era = eraOf(request);
  const decided = judgeCall(request, {
    ...{ policy, usage, visibility, server, era },
    sighting: sightingOf(context, sender),
    state: context.sessionState(),
    agent: sender.agent,
  });
  const fields = decided.effect === "allow" ? findParamFields(context, asked, decided.tool) : undefined;
  const verdict: CallVerdict =
    fields?.ok === false && decided.effect === "allow"
      ? {
          effect: "deny",
          tool: decided.tool,
          reason: "header_mismatch",
          argumentsInLog: decided.argumentsInLog,
          refusal: refuseDisagreement(request.id, fields.detail),
        }
      : decided;
  const gained = listGained(context, verdict);
  const callId = recordOr(reply, refuseUnrecorded(request.id, era), () =>
    recording.recordCall(
      {
        agent: sender.agent,
        client: findClient(context, sender, request),
        server,
        method: request.method,
        tool: verdict.tool,
        args: request.params?.["arguments"],
        argumentsInLog: verdict.argumentsInLog,
        traceparent: findTraceparent(request),
      },
      describeDecision(verdict, gained),
    ),
  );
  if (callId === undefined) {
    return;
  }
  if (verdict.effect === "deny") {
    send(reply, verdict.refusal);
    return;
  }
  count(context, verdict, gained);
  context.forwarding.request(sender, withoutUngranted(withoutClientCapabilities(request)), {
    reply,
    callId,
    ...(fields?.ok === true && { paramFields: fields.fields }),
    amend: (answer) => judgeToolResult(request, era, answer),
  });
}

type Allowed = Extract<CallVerdict, { effect: "allow" }>;

/** What the session has not read before it asks for this. */
function listGained({ policy, usage }: GateContext, verdict: CallVerdict): readonly ReadLabel[] {
  return verdict.effect === "allow"
    ? policy.labelsOf(verdict.call).filter((label) => !usage.labels.has(label))
    : [];
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

/** All agents are told what is gone before the server has the call, and so before there is an answer. */
function count(context: GateContext, { call, decision }: Allowed, gained: readonly ReadLabel[]): void {
  const before = gained.length === 0 ? undefined : new Set(context.usage.labels);
  context.usage.count(call, decision);
  if (before !== undefined) {
    context.labelsGained(before);
  }
}

/** Only what a server listed can ask for fields; what is sent is made from the arguments that were decided on. */
function findParamFields(
  { catalog }: GateContext,
  { sender, request }: Asked,
  tool: string,
): ParamFields | undefined {
  return eraOf(request) === "stateless"
    ? buildParamFields(catalog.paramFieldsOf(tool), request.params?.["arguments"], sender.fields)
    : undefined;
}

/**
 * Whoever does not offer tasks takes such a call for an ordinary one (2025-11-25, Tasks). And an agent that nobody
 * asked for input has none to give: what it sent would be taken for the word of a person (2026-07-28, MRTR).
 */
function withoutUngranted(request: ClientRequest): ClientRequest {
  if (request.params === undefined) {
    return request;
  }
  const { task, inputResponses, ...params } = request.params;
  return { ...request, params };
}
