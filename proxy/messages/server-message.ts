/**
 * One message of a server, looked at but not read: its kind, its id, its method, and where its parts stand.
 * What goes on to the agent are the server's own bytes, or those with a part cut out or replaced.
 */
import { type RequestId, isRequestId } from "./envelope.ts";
import {
  findElements,
  findMembers,
  readSpan,
  replaceSpan,
  skipSpace,
  type Span,
  toByteText,
} from "./json-spans.ts";

interface Looked {
  /** One character per byte. */
  readonly text: string;
  readonly members: ReadonlyMap<string, Span>;
}

/** `id` is null where the server could not tell whose error it is. */
export interface ServerAnswer extends Looked {
  readonly kind: "result" | "error";
  readonly id: RequestId | null;
}

export interface ServerRequest extends Looked {
  readonly kind: "request";
  readonly id: RequestId;
  readonly method: string;
}

export interface ServerNotification extends Looked {
  readonly kind: "notification";
  readonly method: string;
}

export type ServerMessage = ServerAnswer | ServerRequest | ServerNotification;

/** One message, or the messages of a batch; `undefined` when there is anything that is no message. */
export function readServerMessages(text: string): ServerMessage[] | undefined {
  if (text[skipSpace(text, 0)] !== "[") {
    const message = readServerMessage(text);
    return message === undefined ? undefined : [message];
  }
  const spans = findElements(text, 0);
  const messages: ServerMessage[] = [];
  for (const { start, end } of spans ?? []) {
    const message = readServerMessage(text.slice(start, end));
    if (message === undefined) {
      return undefined;
    }
    messages.push(message);
  }
  return messages.length === 0 ? undefined : messages;
}

function readServerMessage(text: string): ServerMessage | undefined {
  const found = findMembers(text, 0);
  if (found === undefined || skipSpace(text, found.whole.end) !== text.length) {
    return undefined;
  }
  const { spans: members } = found;
  const read = (name: string): unknown => {
    const span = members.get(name);
    return span === undefined ? undefined : readSpan(text, span);
  };
  const id = read("id");
  const method = read("method");
  if (method !== undefined) {
    if (typeof method !== "string") {
      return undefined;
    }
    return isRequestId(id)
      ? { kind: "request", id, method, text, members }
      : { kind: "notification", method, text, members };
  }
  if (members.has("result") === members.has("error")) {
    return undefined;
  }
  if (members.has("result")) {
    return isRequestId(id) ? { kind: "result", id, text, members } : undefined;
  }
  return { kind: "error", id: isRequestId(id) ? id : null, text, members };
}

/** The members of a message's `result`, `error` or `params`. */
export function findMembersOf(message: ServerMessage, name: string): ReadonlyMap<string, Span> | undefined {
  const span = message.members.get(name);
  return span === undefined ? undefined : findMembers(message.text, span.start)?.spans;
}

/** The same answer to the request that its sender knows by this id. */
export function withId(answer: ServerAnswer, id: RequestId): ServerAnswer {
  const own = answer.members.get("id");
  return own === undefined || answer.id === null || answer.id === id
    ? answer
    : { ...replaceInMessage(answer, own, toByteText(JSON.stringify(id))), id };
}

/** The same message with a part of its text replaced; `span` lies within one member. */
export function replaceInMessage<M extends ServerMessage>(message: M, span: Span, by: string): M {
  const shift = by.length - (span.end - span.start);
  const members = new Map<string, Span>();
  for (const [name, { start, end }] of message.members) {
    members.set(name, {
      start: start >= span.end ? start + shift : start,
      end: end >= span.end ? end + shift : end,
    });
  }
  return { ...message, text: replaceSpan(message.text, span, by), members };
}
