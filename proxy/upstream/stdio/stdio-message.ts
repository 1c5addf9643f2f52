/**
 * Messages to and from a stdio server, between the ids that the agent's client chose and those that the child sees.
 */
import type { Json } from "../../../audit/canonical.ts";
import {
  type ClientNotification,
  type ClientRequest,
  isObject,
  isRequestId,
  type RequestId,
} from "../../messages/envelope.ts";
import { findPath, readSpan, type Span, toByteText } from "../../messages/json-spans.ts";
import {
  HEADER_MISMATCH,
  METHOD_NOT_FOUND,
  MISSING_CLIENT_CAPABILITY,
  SUBSCRIPTION_ID,
  UNSUPPORTED_PROTOCOL_VERSION,
} from "../../messages/revision.ts";
import {
  replaceInMessage,
  type ServerAnswer,
  type ServerMessage,
  type ServerNotification,
  withId,
} from "../../messages/server-message.ts";

/** The line for a child, with `id` as the request's id and, where one is asked for, as its progress token. */
export function writeForChild(
  { method, params }: ClientRequest,
  id: number,
): { text: string; progressToken: RequestId | undefined } {
  const meta = params?.["_meta"];
  const token = isObject(meta) ? meta["progressToken"] : undefined;
  const progressToken = isRequestId(token) ? token : undefined;
  const own: { [name: string]: Json } | undefined =
    progressToken === undefined || !isObject(meta)
      ? params
      : { ...params, _meta: { ...meta, progressToken: id } };
  const message = { jsonrpc: "2.0", id, method, ...(own !== undefined && { params: own }) };
  return { text: `${JSON.stringify(message)}\n`, progressToken };
}

export function writeNotification({ method, params }: Pick<ClientNotification, "method" | "params">): string {
  return `${JSON.stringify({ jsonrpc: "2.0", method, ...(params !== undefined && { params }) })}\n`;
}

/** An answer as it would be if the agent's client had asked the server itself. */
export function restoreAnswer(message: ServerAnswer, id: RequestId): ServerAnswer {
  const restored = withId(message, id);
  const subscription = findIn(restored, "result", ["_meta", SUBSCRIPTION_ID]);
  return subscription === undefined ? restored : replaceInMessage(restored, subscription, writeId(id));
}

/** A notification that belongs to a request in flight: by its progress token, or by its subscription. */
export function restoreNotification<P extends { id: RequestId; progressToken: RequestId | undefined }>(
  message: ServerNotification,
  find: (id: number) => P | undefined,
): { message: ServerNotification; pending: P } | undefined {
  const isProgress = message.method === "notifications/progress";
  const span = findIn(message, "params", isProgress ? ["progressToken"] : ["_meta", SUBSCRIPTION_ID]);
  const own = span === undefined ? undefined : readSpan(message.text, span);
  const pending = typeof own === "number" ? find(own) : undefined;
  const id = isProgress ? pending?.progressToken : pending?.id;
  if (span === undefined || pending === undefined || id === undefined) {
    return undefined;
  }
  return { message: replaceInMessage(message, span, writeId(id)), pending };
}

/** Which of our requests a server says is over. */
export function findCancelled(message: ServerNotification): number | undefined {
  const span =
    message.method === "notifications/cancelled" ? findIn(message, "params", ["requestId"]) : undefined;
  const id = span === undefined ? undefined : readSpan(message.text, span);
  return typeof id === "number" ? id : undefined;
}

/** The HTTP status that a stateless server gives such an error (2026-07-28, Streamable HTTP). */
export function findStatus(message: ServerAnswer): number {
  const span = findIn(message, "error", ["code"]);
  switch (span === undefined ? undefined : readSpan(message.text, span)) {
    case METHOD_NOT_FOUND:
      return 404;
    case HEADER_MISMATCH:
    case MISSING_CLIENT_CAPABILITY:
    case UNSUPPORTED_PROTOCOL_VERSION:
      return 400;
    default:
      return 200;
  }
}

function findIn(message: ServerMessage, member: string, path: readonly string[]): Span | undefined {
  const span = message.members.get(member);
  return span === undefined ? undefined : findPath(message.text, span.start, path);
}

function writeId(id: RequestId): string {
  return toByteText(JSON.stringify(id));
}
