/**
 * Who sends a message and in which circumstances: what a decision and its forwarding need beside the message.
 */
import { type ClientMessage, isObject } from "../messages/envelope.ts";
import type { Fields } from "../messages/fields.ts";
import { CLIENT_INFO, type Era, findClaimedRevision, metaOf } from "../messages/revision.ts";
import type { ClientInfo } from "../recording.ts";
import type { Session } from "./sessions/session.ts";

export interface Sender {
  readonly agent: string;
  readonly fields: Fields;
  readonly session: Session | undefined;
  /** Where another gate has recorded its calls before: under these ids. */
  readonly callIds?: CallIds | undefined;
}

/** The ids of the calls in one message, in their order. */
export interface CallIds {
  take(): string | undefined;
}

/** Whether both are the same session, or the same agent without one. */
export function isSameViewer(one: Sender, other: Sender): boolean {
  return one.session === other.session && (one.session !== undefined || one.agent === other.agent);
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export function eraOf(message: ClientMessage): Era {
  return findClaimedRevision(message) === undefined ? "handshake" : "stateless";
}

/** `MCP-Protocol-Version`, which agrees with the message by now. */
export function revisionOf({ fields }: Sender): string | undefined {
  return fields.get("mcp-protocol-version");
}

/** What the client of a stateless request says it is. */
export function findClientInfo(message: ClientMessage): ClientInfo | undefined {
  return parseClientInfo(metaOf(message)?.[CLIENT_INFO]);
}

/** Longer ones are left out: cut, they could end in a part of a secret that nobody recognises. */
const MAX_INFO_LENGTH = 200;

export function parseClientInfo(info: unknown): ClientInfo | undefined {
  if (!isObject(info)) {
    return undefined;
  }
  const { name, version } = info;
  const isInfo = (text: unknown): text is string =>
    typeof text === "string" && text.length <= MAX_INFO_LENGTH;
  return isInfo(name) && isInfo(version) ? { name, version } : undefined;
}

/** W3C Trace Context, which clients put into `_meta`. */
export function findTraceparent(message: ClientMessage): string | undefined {
  const traceparent = metaOf(message)?.["traceparent"];
  return typeof traceparent === "string" && TRACEPARENT.test(traceparent) ? traceparent : undefined;
}

/** The two media types of MCP. */
export interface Accepted {
  readonly document: boolean;
  readonly stream: boolean;
}

const DOCUMENT = /(?:^|,)\s*(?:application\/json|application\/\*|\*\/\*)\s*(?:;|,|$)/i;
const STREAM = /(?:^|,)\s*(?:text\/event-stream|text\/\*|\*\/\*)\s*(?:;|,|$)/i;

/** A client says the same with each request. Bounded, since clients choose what they say. */
const knownAccepts = new Map<string, Accepted>();
const MAX_KNOWN_ACCEPTS = 64;
const MAX_KNOWN_LENGTH = 200;

export function parseAccept(fields: Fields): Accepted {
  const accept = fields.get("accept") ?? "*/*";
  const known = knownAccepts.get(accept);
  if (known !== undefined) {
    return known;
  }
  const accepted = { document: DOCUMENT.test(accept), stream: STREAM.test(accept) };
  if (knownAccepts.size < MAX_KNOWN_ACCEPTS && accept.length <= MAX_KNOWN_LENGTH) {
    knownAccepts.set(accept, accepted);
  }
  return accepted;
}

export function writeAccept({ document, stream }: Accepted): string {
  if (document) {
    return stream ? "application/json, text/event-stream" : "application/json";
  }
  return stream ? "text/event-stream" : "";
}
