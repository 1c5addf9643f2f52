/**
 * A request that names something: decided, recorded, counted, forwarded, in this order and in one step. When it cannot
 * be recorded, it is not forwarded.
 */
import { send } from "../../front/reply.ts";
import type { ClientRequest } from "../../messages/envelope.ts";
import { buildParamFields, type ParamFields } from "../../messages/param-fields.ts";
import { answerFailure, refuseDisagreement, refuseMessage } from "../../messages/refusals.ts";
import type { ServerAnswer } from "../../messages/server-message.ts";
import { RecordingFailed } from "../../recorder.ts";
import type { CallVerdict } from "./call-decision.ts";
import { findWrittenAsks, judgeResult } from "./call-result.ts";
import { withGrantedCapabilities } from "../sessions/capabilities.ts";
import type { Asked, GateContext } from "../gate-context.ts";
import { takeAskedInputs } from "../asks/input-answers.ts";
import { admitWritten, type InputVerdict, withState } from "../asks/input-requests.ts";
import { type Naming, SUBSCRIBE, UNSUBSCRIBE } from "../named-things.ts";
import { holdToLoad } from "./overload.ts";
import { decideCall, recordVerdict } from "./recorded-call.ts";
import { eraOf } from "../sender.ts";
import { refuseUnrecorded } from "./unrecorded.ts";
import { lookAtTools, needsLook } from "../lists/tool-lookup.ts";

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
  const { request, reply } = asked;
  context.admission.admit(() => admitCall(context, asked), {
    admitted: (call) => passOn(context, asked, call),
    failed: () => send(reply, refuseUnrecorded({ request, era: eraOf(request) })),
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

interface AllowedCall extends AdmittedCall {
  readonly verdict: Extract<CallVerdict, { effect: "allow" }>;
}

function passOn(context: GateContext, asked: Asked, { verdict, fields, callId }: AdmittedCall): void {
  const { sender, request, reply } = asked;
  if (verdict.effect === "deny") {
    send(reply, verdict.refusal);
    return;
  }
  context.load.noteCall(performance.now());
  takeAskedInputs(context.asks, asked, (answered) => {
    if (answered === undefined) {
      send(reply, refuseUnrecorded({ request, era: eraOf(request) }));
    } else {
      forward(context, { sender, request: answered, reply }, { verdict, fields, callId });
    }
  });
}

function forward(context: GateContext, asked: Asked, { verdict, fields, callId }: AllowedCall): void {
  const { sender, request, reply } = asked;
  const { kind, name } = verdict.naming;
  const asking = { id: request.id, era: eraOf(request), kind };
  const noteOutcome = keepSubscription(context, asked, name);
  let inputs: InputVerdict = { kind: "refused" };
  context.forwarding.request(sender, withoutTask(withGrantedCapabilities(context, request)), {
    reply,
    callId,
    inspection: findInspection(context, verdict),
    ...(fields?.ok === true && { paramFields: fields.fields }),
    admitAnswer: (answer, then) => {
      const written = findWrittenAsks(asking, answer);
      admitWritten(
        context.asks,
        { sender, request, callId },
        {
          written,
          then: (decided) => {
            inputs = decided;
            then();
          },
        },
      );
    },
    amend: (answer) => {
      noteOutcome(answer);
      if (inputs.kind === "unrecorded") {
        throw new RecordingFailed("what the server asks for was not recorded");
      }
      const judged = judgeResult(asking, answer, inputs.kind);
      const { state } = inputs.kind === "admitted" ? inputs : {};
      return state === undefined || "refusal" in judged
        ? judged
        : { ...judged, message: withState(judged.message, state) };
    },
  });
}

/** What was only observed has no grant that could say less. */
function findInspection({ policy }: GateContext, { decision }: Extract<CallVerdict, { effect: "allow" }>) {
  return policy.inspectionOf(decision.reason === "granted" ? decision.rule : "");
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
