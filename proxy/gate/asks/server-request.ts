/**
 * Requests of a server to the agent's side (sampling, elicitation, roots) in the era of sessions: what is granted goes
 * to the agent on whose stream it came, under an id that nobody can guess, and its answer back. All others are answered
 * here, so that no server waits for an agent that never hears of it.
 */
import { randomUUID } from "node:crypto";
import { type ClientResponse, isRequestId, type RequestId } from "../../messages/envelope.ts";
import { toByteText, toCharacters } from "../../messages/json-spans.ts";
import { readParams } from "../../messages/server-params.ts";
import { INTERNAL_ERROR, METHOD_NOT_FOUND } from "../../messages/revision.ts";
import {
  readServerMessages,
  replaceInMessage,
  type ServerAnswer,
  type ServerNotification,
  type ServerRequest,
} from "../../messages/server-message.ts";
import { isRecordingFailure } from "../../recorder.ts";
import { admitAsks, type AdmittedAsk, type AskContext, refuseAsk } from "./ask-decision.ts";
import { collectEvidence } from "../forwarding/evidence.ts";
import { ASKING_METHODS } from "../../messages/asks.ts";
import type { Sender } from "../sender.ts";
import { addresseeOf, findNamedCall, reopenAsks } from "./shared-asks.ts";
import type { WaitingAsk } from "./waiting-asks.ts";

/** Where a request of a server came. */
interface Way {
  /** The stream itself, to tell it from others. */
  readonly stream: object;
  /** The agent can be asked on it. */
  readonly isOpen: boolean;
  /** To the agent. When it is behind, resolves once it has caught up. */
  readonly send: (text: string) => Promise<void> | undefined;
  /** To the server, one line of JSON. */
  readonly answer: (text: string) => void;
}

export type PassAsk = (request: ServerRequest, way: Way) => Promise<void> | undefined;

const REFUSAL = { code: METHOD_NOT_FOUND, message: "Method not found" };

/** One that no agent can be asked; the answer to it, one line of JSON. */
export function refuseServerRequest(context: AskContext, { id, method }: ServerRequest): string {
  if (method === "ping") {
    return writeAnswer(id, { result: {} });
  }
  refuseAsk(context, ASKING_METHODS.has(method) ? method : "other");
  return writeAnswer(id, { error: REFUSAL });
}

/** `isPossible`: the agent can be asked on this stream, as long as that is open. */
export function openAsking(context: AskContext, sender: Sender, isPossible: boolean): PassAsk {
  return (request, way) =>
    passServerRequest(context, sender, { request, way: { ...way, isOpen: way.isOpen && isPossible } });
}

function passServerRequest(
  context: AskContext,
  sender: Sender,
  { request, way }: { readonly request: ServerRequest; readonly way: Way },
): Promise<void> | undefined {
  const { limits, waiting, recording, server } = context;
  const { id, method, text } = request;
  const { isOpen, answer } = way;
  if (!isOpen || !ASKING_METHODS.has(method)) {
    answer(refuseServerRequest(context, request));
    return undefined;
  }
  const again = sender.session && waiting.find((ask) => isOf(ask, sender) && ask.request?.id === id);
  if (again !== undefined) {
    return repeatRequest(again, request, way);
  }
  const params = text.length <= limits.maxRequestBytes ? readParams(request, limits.maxDepth) : undefined;
  if (params === undefined) {
    recording.noteRepeated("server_message_dropped", `${server} asks`, { server, reason: "unreadable" });
    answer(writeAnswer(id, { error: { code: INTERNAL_ERROR, message: "The request cannot be read" } }));
    return undefined;
  }
  const callId = context.isRelayed ? findNamedCall(id) : undefined;
  if (callId !== undefined && waiting.isKnown(callId)) {
    // On a stream that was resumed elsewhere: it has its answer.
    return undefined;
  }
  let sent: Promise<void> | undefined;
  admitAsks(context, { sender, asks: [{ method, params, callId }] }, (verdict) => {
    const [admitted] = verdict === "unrecorded" ? [] : verdict.asks;
    if (verdict === "unrecorded") {
      const error = { code: INTERNAL_ERROR, message: "The request cannot be recorded" };
      answer(writeAnswer(id, { error }));
    } else if (admitted === undefined) {
      answer(writeAnswer(id, { error: REFUSAL }));
    } else {
      sent = ask(context, sender, { request, way, admitted });
    }
  });
  return sent;
}

interface Asked {
  readonly request: ServerRequest;
  readonly way: Way;
  readonly admitted: AdmittedAsk;
}

function ask(
  context: AskContext,
  sender: Sender,
  { request, way: { stream, send, answer }, admitted }: Asked,
): Promise<void> | undefined {
  const { waiting } = context;
  const { id, text } = request;
  const key = nameAsk(context, sender, { id, admitted });
  waiting.add(key, {
    ...{ ...admitted, agent: sender.agent, session: sender.session, answer },
    request: { id, text, saidOn: new Set([stream]) },
    abandoned: () => answer(writeAbandoned(id)),
  });
  const shown = admitted.inspecting.pass(request);
  if (shown === undefined) {
    waiting.abandon((each) => each.key === key, "blocked");
    return undefined;
  }
  return send(withRequestId(shown, key).text);
}

/** What the agent knows it by: nobody can guess it, and where another process may get the answer, it says all of it. */
function nameAsk(
  { shared }: AskContext,
  sender: Sender,
  { id, admitted: { callId, inspection } }: { readonly id: RequestId; readonly admitted: AdmittedAsk },
): string {
  if (shared === undefined) {
    return randomUUID();
  }
  const asks = [{ callId, place: JSON.stringify(id), inspection }];
  const name = `${callId}.${shared.seal(addresseeOf(sender), { askedAt: shared.now(), asks })}`;
  // Beside an id that is too long the answer finds it in this process alone.
  return isRequestId(name) ? name : `${callId}.${randomUUID()}`;
}

/**
 * A stream that an agent resumes says again what may have been lost, and each stream once: a server cannot ask twice by
 * it. Anything else under this id is something else.
 */
function repeatRequest(
  { request: first, inspecting, key }: WaitingAsk,
  request: ServerRequest,
  { stream, send, answer }: Way,
): Promise<void> | undefined {
  if (first?.text !== request.text) {
    const error = { code: INTERNAL_ERROR, message: "A request with this id waits" };
    answer(writeAnswer(request.id, { error }));
    return undefined;
  }
  const shown = first.saidOn.has(stream) ? undefined : inspecting.pass(request);
  first.saidOn.add(stream);
  return shown && send(withRequestId(shown, key).text);
}

/** What an agent answers goes to the server if the agent was asked it, and is on the log before it does. */
export function passClientAnswer(context: AskContext, sender: Sender, response: ClientResponse): void {
  const { waiting, recording, server } = context;
  const drop = (): void =>
    recording.noteRepeated("agent_answer_dropped", server, { server, agent: sender.agent });
  const ask =
    waiting.find((each) => each.key === response.id && isOf(each, sender)) ??
    reopenRequest(context, sender, response.id);
  if (ask?.request === undefined) {
    drop();
    return;
  }
  const { id } = ask.request;
  const [answer] = readServerMessages(toByteText(writeAnswer(id, response.outcome))) ?? [];
  const shown =
    answer?.kind === "result" || answer?.kind === "error" ? ask.inspecting.pass(answer) : undefined;
  waiting.claim([ask], ([own]) => {
    if (own === undefined) {
      drop();
    } else if (shown === undefined) {
      waiting.giveUp(own, "blocked");
    } else {
      passAnswer(context, own, shown);
    }
  });
}

function passAnswer({ waiting }: AskContext, ask: WaitingAsk, shown: ServerAnswer): void {
  try {
    waiting.end(ask, shown.kind === "error" ? "error" : "ok", collectEvidence(shown));
    ask.answer?.(toCharacters(shown.text));
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
    ask.abandoned?.();
  }
}

/** One that went to the agent through another process. */
function reopenRequest(context: AskContext, sender: Sender, name: unknown): WaitingAsk | undefined {
  const call = context.shared === undefined ? undefined : findNamedCall(name);
  if (typeof name !== "string" || call === undefined) {
    return undefined;
  }
  const [ask] = reopenAsks(context, sender, name.slice(call.length + 1))?.asks ?? [];
  if (ask?.request !== undefined) {
    return ask;
  }
  const id: unknown = ask === undefined ? undefined : JSON.parse(ask.key);
  if (ask?.callId !== call || !isRequestId(id)) {
    return undefined;
  }
  const answer = (text: string): void => context.answer(sender, text);
  const request = { id, text: "", saidOn: new Set<object>() };
  return { ...ask, request, answer, abandoned: () => answer(writeAbandoned(id)) };
}

function writeAbandoned(id: RequestId): string {
  return writeAnswer(id, { error: { code: INTERNAL_ERROR, message: "The agent gave no answer" } });
}

/** The server does not want to know any more: the agent hears it of the id that it knows. */
export function passCancelledAsk(
  { waiting, limits }: AskContext,
  sender: Sender,
  notification: ServerNotification,
): ServerNotification | undefined {
  const params = readParams(notification, limits.maxDepth);
  const ask = waiting.find((each) => isOf(each, sender) && each.request?.id === params?.["requestId"]);
  const span = notification.members.get("params");
  if (ask === undefined || span === undefined) {
    return undefined;
  }
  waiting.abandon((each) => each === ask, "cancelled");
  return replaceInMessage(notification, span, toByteText(JSON.stringify({ requestId: ask.key })));
}

function isOf({ agent, session }: Pick<WaitingAsk, "agent" | "session">, sender: Sender): boolean {
  return agent === sender.agent && session === sender.session;
}

function withRequestId(request: ServerRequest, id: string): ServerRequest {
  const span = request.members.get("id");
  return span === undefined ? request : replaceInMessage(request, span, JSON.stringify(id));
}

function writeAnswer(id: RequestId, outcome: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id, ...outcome });
}
