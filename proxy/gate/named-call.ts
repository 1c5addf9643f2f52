/**
 * A request that names something: decided, recorded, counted, forwarded, in this order and in one step. When it cannot
 * be recorded, it is not forwarded.
 */
import { send } from "../front/reply.ts";
import type { ClientRequest } from "../messages/envelope.ts";
import { buildParamFields, type ParamFields } from "../messages/param-fields.ts";
import {
  type Answer,
  answerFailure,
  refuseDisagreement,
  refuseMessage,
  refuseUnrecorded,
  refuseUnrecordedRequest,
} from "../messages/refusals.ts";
import type { ServerAnswer } from "../messages/server-message.ts";
import type { CallVerdict } from "./call-decision.ts";
import { judgeResult } from "./call-result.ts";
import { withGrantedCapabilities } from "./capabilities.ts";
import { type Asked, type GateContext, recordOr } from "./gate-context.ts";
import { admitInputs, admitPages, withAskedInputs } from "./input-requests.ts";
import { type Naming, SUBSCRIBE, UNSUBSCRIBE } from "./named-things.ts";
import { holdToLoad } from "./overload.ts";
import { decideCall, recordVerdict } from "./recorded-call.ts";
import { eraOf } from "./sender.ts";
import { lookAtTools, needsLook } from "./tool-lookup.ts";

/** A locked tool is looked at before it is called for the first time; nothing of the call is decided until then. */
export function passToolCall(context: GateContext, asked: Asked): void {
  const { sender, request, reply } = asked;
  if (!needsLook(context, sender, request)) {
    passNamedCall(context, asked);
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
      passNamedCall(context, asked);
    }
  });
}

export function passNamedCall(context: GateContext, asked: Asked): void {
  context.admission.admit(() => admitCall(context, asked), {
    admitted: (call) => passOn(context, asked, call),
    failed: () => send(asked.reply, refuseUnrecordedCall(asked)),
  });
}

interface AdmittedCall {
  readonly verdict: CallVerdict;
  readonly fields: ParamFields | undefined;
  readonly callId: string;
}

/** Throws `RecordingFailed`. */
function admitCall(context: GateContext, asked: Asked): AdmittedCall {
  const { request } = asked;
  const decided = decideCall(context, asked);
  const fields = decided.effect === "allow" ? findParamFields(context, asked, decided.naming) : undefined;
  const agreed: CallVerdict =
    fields?.ok === false && decided.effect === "allow"
      ? {
          effect: "deny",
          naming: decided.naming,
          reason: "header_mismatch",
          argumentsInLog: decided.argumentsInLog,
          refusal: refuseDisagreement(request.id, fields.detail),
        }
      : decided;
  const verdict = holdToLoad(context, asked, agreed);
  return { verdict, fields, callId: recordVerdict(context, asked, verdict) };
}

function passOn(context: GateContext, asked: Asked, { verdict, fields, callId }: AdmittedCall): void {
  const { sender, request, reply } = asked;
  if (verdict.effect === "deny") {
    send(reply, verdict.refusal);
    return;
  }
  context.load.noteCall(performance.now());
  const { kind } = verdict.naming;
  const refuse = (): Answer => refuseUnrecordedCall(asked);
  const answered = recordOr(reply, refuse, () => withAskedInputs(context.asks, asked));
  if (answered === undefined) {
    return;
  }
  const noteOutcome = keepSubscription(context, asked, verdict.naming.name);
  context.forwarding.request(sender, withoutTask(withGrantedCapabilities(context, answered)), {
    reply,
    callId,
    inspection: findInspection(context, verdict),
    ...(fields?.ok === true && { paramFields: fields.fields }),
    amend: (answer) => {
      noteOutcome(answer);
      return judgeResult({ id: request.id, era: eraOf(request), kind }, answer, {
        admitInputs: (written) => admitInputs(context.asks, asked, written),
        admitPages: (written) => admitPages(context.asks, asked, written),
      });
    },
  });
}

/** What was only observed has no grant that could say less. */
function findInspection({ policy }: GateContext, { decision }: Extract<CallVerdict, { effect: "allow" }>) {
  return policy.inspectionOf(decision.reason === "granted" ? decision.rule : "");
}

function refuseUnrecordedCall({ request }: Asked): Answer {
  return request.method === "tools/call"
    ? refuseUnrecorded({ id: request.id, era: eraOf(request), kind: "tool" })
    : refuseUnrecordedRequest(request.id);
}

/** What the server says of a change may come before its answer; what it did not take on, nobody hears of. */
function keepSubscription(
  { sessions }: GateContext,
  { sender, request }: Asked,
  uri: string,
): (answer: ServerAnswer) => void {
  const subscriptions = sessions.subscriptionsOf(sender.agent, sender.session);
  switch (request.method) {
    case SUBSCRIBE:
      subscriptions.add(uri);
      return ({ kind }) => kind === "error" && subscriptions.delete(uri);
    case UNSUBSCRIBE:
      subscriptions.delete(uri);
      return () => undefined;
    default:
      return () => undefined;
  }
}

/** Only what a server listed can ask for fields; what is sent is made from the arguments that were decided on. */
function findParamFields(
  { catalogs }: GateContext,
  { sender, request }: Asked,
  { kind, name }: Naming,
): ParamFields | undefined {
  return kind === "tool" && eraOf(request) === "stateless"
    ? buildParamFields(catalogs.tools.paramFieldsOf(name), request.params?.["arguments"], sender.fields)
    : undefined;
}

/** Whoever does not offer tasks takes such a call for an ordinary one (2025-11-25, Tasks). */
function withoutTask(request: ClientRequest): ClientRequest {
  if (request.params === undefined) {
    return request;
  }
  const { task, ...params } = request.params;
  return { ...request, params };
}
