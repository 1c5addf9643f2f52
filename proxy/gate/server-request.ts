/**
 * Requests of a server to the agent's side (sampling, elicitation, roots) in the era of sessions: what is granted goes
 * to the agent on whose stream it came, under an id that nobody can guess, and its answer back. All others are answered
 * here, so that no server waits for an agent that never hears of it.
 */
import { randomUUID } from "node:crypto";
import type { ClientResponse } from "../messages/envelope.ts";
import { toByteText, toCharacters } from "../messages/json-spans.ts";
import { readParams } from "../messages/server-params.ts";
import { INTERNAL_ERROR, METHOD_NOT_FOUND } from "../messages/revision.ts";
import {
  readServerMessages,
  replaceInMessage,
  type ServerNotification,
  type ServerRequest,
} from "../messages/server-message.ts";
import { isRecordingFailure } from "../recorder.ts";
import { admitAsk, type AskContext, refuseAsk } from "./ask-decision.ts";
import { collectEvidence } from "./evidence.ts";
import { ASKING_METHODS } from "../messages/asks.ts";
import type { Sender } from "./sender.ts";
import type { WaitingAsk } from "./waiting-asks.ts";

/** Where a request of a server came. */
export interface Way {
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

export function passServerRequest(
  context: AskContext,
  sender: Sender,
  { request, way }: { readonly request: ServerRequest; readonly way: Way },
): Promise<void> | undefined {
  const { limits, waiting, recording, server } = context;
  const { id, method, text } = request;
  const { stream, isOpen, send, answer } = way;
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
  try {
    const admitted = admitAsk(context, sender, { method, params });
    if (admitted === undefined) {
      answer(writeAnswer(id, { error: REFUSAL }));
      return undefined;
    }
    const key = randomUUID();
    const { agent, session } = sender;
    const refuse = (message: string): void =>
      answer(writeAnswer(id, { error: { code: INTERNAL_ERROR, message } }));
    waiting.add(key, {
      ...{ ...admitted, agent, session, request: { id, text, saidOn: new Set([stream]) }, answer },
      abandoned: () => refuse("The agent gave no answer"),
    });
    const shown = admitted.inspecting.pass(request);
    if (shown === undefined) {
      waiting.abandon((ask) => ask.key === key, "blocked");
      return undefined;
    }
    return send(withRequestId(shown, key).text);
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
    answer(writeAnswer(id, { error: { code: INTERNAL_ERROR, message: "The request cannot be recorded" } }));
    return undefined;
  }
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
  const ask = waiting.find((each) => each.key === response.id && isOf(each, sender));
  if (ask?.request === undefined) {
    recording.noteRepeated("agent_answer_dropped", server, { server, agent: sender.agent });
    return;
  }
  const { id } = ask.request;
  const [answer] = readServerMessages(toByteText(writeAnswer(id, response.outcome))) ?? [];
  const shown =
    answer?.kind === "result" || answer?.kind === "error" ? ask.inspecting.pass(answer) : undefined;
  if (answer === undefined || shown === undefined) {
    waiting.abandon((each) => each === ask, "blocked");
    return;
  }
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

function writeAnswer(id: ServerRequest["id"], outcome: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id, ...outcome });
}
