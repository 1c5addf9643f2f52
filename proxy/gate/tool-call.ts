/**
 * `tools/call`: decided, recorded, forwarded, in this order. When it cannot be recorded, it is not forwarded.
 */
import { send } from "../front/reply.ts";
import type { ClientRequest } from "../messages/envelope.ts";
import { buildParamFields, type ParamFields } from "../messages/param-fields.ts";
import { refuseDisagreement, refuseUnrecorded } from "../messages/refusals.ts";
import { type CallVerdict, judgeCall } from "./call-decision.ts";
import { withoutClientCapabilities } from "./capabilities.ts";
import { type Asked, findClient, type GateContext, recordOr } from "./gate-context.ts";
import { eraOf, findTraceparent } from "./sender.ts";
import { judgeToolResult } from "./tool-result.ts";

export function passToolCall(context: GateContext, asked: Asked): void {
  const { policy, server, recording } = context;
  const { sender, request, reply } = asked;
  const era = eraOf(request);
  const decided = judgeCall(request, {
    policy,
    state: context.sessionState(),
    server,
    agent: sender.agent,
    era,
  });
  const fields = decided.effect === "allow" ? findParamFields(context, asked, decided.tool) : undefined;
  const verdict: CallVerdict =
    fields?.ok === false
      ? {
          effect: "deny",
          ...(decided.tool !== undefined && { tool: decided.tool }),
          reason: "header_mismatch",
          refusal: refuseDisagreement(request.id, fields.detail),
        }
      : decided;
  const callId = recordOr(reply, refuseUnrecorded(request.id, era), () =>
    recording.recordCall(
      {
        agent: sender.agent,
        client: findClient(context, sender, request),
        server,
        method: request.method,
        tool: verdict.tool,
        args: request.params?.["arguments"],
        traceparent: findTraceparent(request),
      },
      { decision: verdict.effect, reason: verdict.reason, rule: verdict.rule },
    ),
  );
  if (callId === undefined) {
    return;
  }
  if (verdict.effect === "deny") {
    send(reply, verdict.refusal);
    return;
  }
  context.forwarding.request(sender, withoutUngranted(withoutClientCapabilities(request)), {
    reply,
    callId,
    ...(fields?.ok === true && { paramFields: fields.fields }),
    amend: (answer) => judgeToolResult(request, era, answer),
  });
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
