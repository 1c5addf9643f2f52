/**
 * What a server asks for in the era without sessions: within a result, answered by the same request once more
 * (2026-07-28, multi round-trip requests). Each input is decided and recorded like a request of the server would be, all
 * of them before the agent sees any.
 */
import { type ClientRequest, isObject } from "../../messages/envelope.ts";
import { findMembersOf, replaceInMessage, type ServerAnswer } from "../../messages/server-message.ts";
import { readMembers } from "../../messages/server-params.ts";
import { wasRecorded } from "../../recorder.ts";
import { admitAsks, type AskContext, type ServerAsk } from "./ask-decision.ts";
import { NAMED_METHODS } from "../named-things.ts";
import type { Sender } from "../sender.ts";
import { addresseeOf, deriveCallId } from "./shared-asks.ts";

/** A request, as it was recorded. */
export interface Called {
  readonly sender: Sender;
  readonly request: ClientRequest;
  readonly callId: string;
}

/** `state`, if there is one, goes to the agent for the server's own. */
export type InputVerdict =
  | { readonly kind: "admitted"; readonly state?: string }
  | { readonly kind: "refused" | "unrecorded" };

/** What the answer asks of the agent's side, as it stands in it. */
export interface WrittenAsks {
  /** The object of inputs that the server needs. */
  readonly inputs?: string | undefined;
  /** The pages that a person has to visit, in an error's data. */
  readonly pages?: string | undefined;
  /** What the server wants to have back with the inputs: JSON. */
  readonly state?: string | undefined;
}

type Then = (verdict: InputVerdict) => void;

export function admitWritten(
  context: AskContext,
  called: Called,
  { written, then }: { readonly written: WrittenAsks; readonly then: Then },
): void {
  if (written.pages !== undefined) {
    admitPages(context, called, { written: written.pages, then });
  } else if (written.inputs !== undefined) {
    admitInputs(context, called, { written: { ...written, inputs: written.inputs }, then });
  } else {
    then({ kind: "admitted" });
  }
}

function admitInputs(
  context: AskContext,
  { sender, request, callId: call }: Called,
  {
    written: { inputs: written, state },
    then,
  }: { readonly written: WrittenAsks & { readonly inputs: string }; readonly then: Then },
): void {
  const { waiting, limits, shared } = context;
  const asked = written.length <= limits.maxRequestBytes ? readMembers(written, limits.maxDepth) : undefined;
  const inputs = asked === undefined ? undefined : Object.entries(asked);
  if (inputs === undefined || inputs.length > limits.maxAsks) {
    then({ kind: "refused" });
    return;
  }
  // What is none is asked for as nothing that exists.
  const asks = inputs.map(([name, input]) => ({
    ...(readAsk(input) ?? { method: "", params: {} }),
    callId: deriveCallId(call, name),
  }));
  admitAsks(context, { sender, asks }, (verdict) => {
    if (verdict === "unrecorded") {
      then({ kind: "unrecorded" });
      return;
    }
    const places = verdict.asks.map((_, index) => placeOf(request, inputs[index]?.[0] ?? ""));
    verdict.asks.forEach((own, index) =>
      waiting.add(places[index] ?? "", { ...own, agent: sender.agent, session: undefined }),
    );
    if (!verdict.isAdmitted) {
      waiting.abandon((ask) => verdict.asks.some(({ callId }) => callId === ask.callId), "blocked");
      then({ kind: "refused" });
      return;
    }
    const sealed = verdict.asks.map(({ callId, inspection }, index) => ({
      ...{ callId, inspection, place: places[index] ?? "" },
    }));
    const name = shared?.seal(addresseeOf(sender), { askedAt: shared.now(), asks: sealed, state });
    then({ kind: "admitted", ...(name !== undefined && { state: name }) });
  });
}

/** Pages that an error sends a person to: asked for, and answered by the next call at the most. */
function admitPages(
  context: AskContext,
  { sender, callId: call }: Called,
  { written, then }: { readonly written: string; readonly then: Then },
): void {
  const params = readMembers(written, context.limits.maxDepth);
  if (params === undefined) {
    then({ kind: "refused" });
    return;
  }
  const asks = [{ method: "elicitation/create", params, callId: deriveCallId(call, "pages") }];
  admitAsks(context, { sender, asks }, (verdict) => {
    const [own] = verdict === "unrecorded" ? [] : verdict.asks;
    const isRecorded =
      verdict !== "unrecorded" &&
      (own === undefined ||
        wasRecorded(() =>
          context.recording.recordResult({ call: own.callId, outcome: "ok", duration_ms: 0, bytes: 0 }),
        ));
    then({ kind: !isRecorded ? "unrecorded" : own === undefined ? "refused" : "admitted" });
  });
}

function readAsk(input: unknown): ServerAsk | undefined {
  if (!isObject(input)) {
    return undefined;
  }
  const { method, params = {} } = input;
  return typeof method === "string" && isObject(params) ? { method, params } : undefined;
}

/** The answer with what the agent is to hand back in the place of the server's own state. */
export function withState(answer: ServerAnswer, state: string | undefined): ServerAnswer {
  const members = state === undefined ? undefined : findMembersOf(answer, "result");
  const [own, inputs] = [members?.get("requestState"), members?.get("inputRequests")];
  const written = JSON.stringify(state);
  if (own !== undefined) {
    return replaceInMessage(answer, own, written);
  }
  return inputs === undefined
    ? answer
    : replaceInMessage(
        answer,
        inputs,
        `${answer.text.slice(inputs.start, inputs.end)},"requestState":${written}`,
      );
}

/** What is asked in one request is answered in the next that names the same. */
export function placeOf({ method, params }: ClientRequest, input: string): string {
  const { kind, name } = NAMED_METHODS.get(method)?.read(params ?? {}) ?? {};
  return JSON.stringify([method, kind ?? null, name ?? null, input]);
}
