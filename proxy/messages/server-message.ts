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
  /** Holds as long as `text` is this one: what was changed since then has to be looked at again. */
  readonly received: Received;
}

/** A message as it came. */
interface Received {
  readonly text: string;
  readonly bytes: Buffer | undefined;
  /** Of its `result`, where that is an object. */
  readonly result: ReadonlyMap<string, Span> | undefined;
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

/**
 * One message, or the messages of a batch; `undefined` when there is anything that is no message. `bytes` are those
 * of `text`, where they are at hand.
 */
export function readServerMessages(text: string, bytes?: Buffer): ServerMessage[] | undefined {
  if (text[skipSpace(text, 0)] !== "[") {
    const message = readServerMessage(text, bytes);
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

function readServerMessage(text: string, bytes?: Buffer): ServerMessage | undefined {
  const found = findMembers(text, 0, "result");
  if (found === undefined || skipSpace(text, found.whole.end) !== text.length) {
    return undefined;
  }
  const { spans: members, opened: result } = found;
  const looked: Looked = { text, members, received: { text, bytes, result } };
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
      ? { kind: "request", id, method, ...looked }
      : { kind: "notification", method, ...looked };
  }
  if (members.has("result") === members.has("error")) {
    return undefined;
  }
  if (members.has("result")) {
    return isRequestId(id) ? { kind: "result", id, ...looked } : undefined;
  }
  return { kind: "error", id: isRequestId(id) ? id : null, ...looked };
}

/** The members of a message's `result`, `error` or `params`. */
export function findMembersOf(message: ServerMessage, name: string): ReadonlyMap<string, Span> | undefined {
  const { received, text } = message;
  if (name === "result" && received.result !== undefined && received.text === text) {
    return received.result;
  }
  const span = message.members.get(name);
  return span === undefined ? undefined : findMembers(message.text, span.start)?.spans;
}

/** The bytes that came, where they are at hand and nothing of them was changed. */
export function findReceivedBytes({ text, received }: ServerMessage): Buffer | undefined {
  return received.text === text ? received.bytes : undefined;
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
  const text = replaceSpan(message.text, span, by);
  return { ...message, text, members, received: moveResult(message, text, { span, shift }) };
}

/** What was found in a result stays found when something before or behind it is replaced, the id above all. */
function moveResult(
  { members, received, text: before }: ServerMessage,
  text: string,
  { span, shift }: { readonly span: Span; readonly shift: number },
): Received {
  const whole = members.get("result");
  const nothing = { text, bytes: undefined, result: undefined };
  if (whole === undefined || received.result === undefined || received.text !== before) {
    return nothing;
  }
  if (span.start >= whole.end) {
    return { ...nothing, result: received.result };
  }
  if (span.end > whole.start) {
    return nothing;
  }
  const result = new Map<string, Span>();
  for (const [name, { start, end }] of received.result) {
    result.set(name, { start: start + shift, end: end + shift });
  }
  return { ...nothing, result };
}
