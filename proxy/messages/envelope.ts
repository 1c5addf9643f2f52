/**
 * One message of a client, out of the one reading of its bytes: a request, a notification or a response.
 * What a server could read differently from the gate is refused: members that do not belong there, and names that
 * differ from one that decides by letter case alone.
 */
import type { Json } from "../../audit/canonical.ts";

export type JsonObject = { [name: string]: Json };
export type RequestId = string | number;

export interface ClientRequest {
  readonly kind: "request";
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject | undefined;
}

export interface ClientNotification {
  readonly kind: "notification";
  readonly method: string;
  readonly params: JsonObject | undefined;
}

/** An answer to a request of the server. */
export interface ClientResponse {
  readonly kind: "response";
  readonly id: RequestId;
  /** Its `result`, or its `error`. */
  readonly outcome: JsonObject;
}

export type ClientMessage = ClientRequest | ClientNotification | ClientResponse;

type EnvelopeFault =
  | "not_a_message"
  | "unknown_member"
  | "bad_id"
  | "bad_method"
  | "bad_params"
  | "bad_name"
  | "case_variant";

export type EnvelopeReading =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly fault: EnvelopeFault };

/** Members of `params`, of `params._meta` and the like that this gate or a server decides by. */
const DECIDING = new Map(
  [
    ...[
      "name",
      "arguments",
      "uri",
      "_meta",
      "cursor",
      "ref",
      "argument",
      "context",
      "level",
      "task",
      "taskId",
    ],
    ...["requestId", "reason", "notifications", "inputResponses", "requestState"],
    ...["protocolVersion", "capabilities", "clientInfo", "progressToken"],
    ...["io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"],
    ...["io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/logLevel"],
  ].map((name) => [foldCase(name), name]),
);

const REQUEST_MEMBERS = new Set(["jsonrpc", "id", "method", "params"]);
const RESPONSE_MEMBERS = new Set(["jsonrpc", "id", "result", "error"]);
/** Visible ASCII: it has to fit a header, and nothing in MCP is named otherwise. */
const METHOD = /^[\x21-\x7e]{1,128}$/;
/** No control character, and of a length that a log can bear. */
const NAME = /^[^\u0000-\u001f\u007f]{1,512}$/u;
const MAX_ID_LENGTH = 256;

export function parseClientMessage(value: Json): EnvelopeReading {
  if (!isObject(value) || value["jsonrpc"] !== "2.0") {
    return refuse("not_a_message");
  }
  const { id, method, params } = value;
  if (id !== undefined && !isRequestId(id)) {
    return refuse("bad_id");
  }
  if (method === undefined) {
    return parseResponse(value, id);
  }
  if (!Object.keys(value).every((name) => REQUEST_MEMBERS.has(name))) {
    return refuse("unknown_member");
  }
  if (typeof method !== "string" || !METHOD.test(method)) {
    return refuse("bad_method");
  }
  if (params !== undefined && !isObject(params)) {
    return refuse("bad_params");
  }
  const fault = params === undefined ? undefined : findFault(params);
  if (fault !== undefined) {
    return refuse(fault);
  }
  const message: ClientMessage =
    id === undefined ? { kind: "notification", method, params } : { kind: "request", id, method, params };
  return { ok: true, message };
}

function parseResponse(value: JsonObject, id: RequestId | undefined): EnvelopeReading {
  if (!Object.keys(value).every((name) => RESPONSE_MEMBERS.has(name))) {
    return refuse("unknown_member");
  }
  if (id === undefined || "result" in value === "error" in value) {
    return refuse("not_a_message");
  }
  const { jsonrpc: _, id: __, ...outcome } = value;
  return { ok: true, message: { kind: "response", id, outcome } };
}

function findFault(params: JsonObject): EnvelopeFault | undefined {
  const { name, uri, arguments: args, ref, argument, context, _meta: meta } = params;
  if ([name, uri].some((text) => typeof text === "string" && !isName(text))) {
    return "bad_name";
  }
  if (meta !== undefined && !isObject(meta)) {
    return "bad_params";
  }
  const decides = hasVariant(params) || (meta !== undefined && hasVariant(meta));
  const isTwinned = [args, ref, argument, context].some((value) => value !== undefined && hasTwins(value));
  return decides || isTwinned ? "case_variant" : undefined;
}

function hasVariant(members: JsonObject): boolean {
  return Object.keys(members).some((name) => (DECIDING.get(foldCase(name)) ?? name) !== name);
}

/** Two members, at any depth, that a server which ignores letter case would take for one. */
function hasTwins(value: Json): boolean {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const names = Array.isArray(value) ? [] : Object.keys(value);
  const isTwinned = names.length > 1 && new Set(names.map(foldCase)).size !== names.length;
  return isTwinned || Object.values(value).some(hasTwins);
}

/** As a reader that ignores letter case does: U+017F is an `s` to it and U+212A a `k`. */
function foldCase(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** Of a tool, a prompt or a resource. */
export function isName(text: unknown): text is string {
  return typeof text === "string" && NAME.test(text);
}

/** MCP wants a string or an integer, never null. */
export function isRequestId(id: unknown): id is RequestId {
  return typeof id === "string" ? id.length <= MAX_ID_LENGTH : Number.isSafeInteger(id);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(fault: EnvelopeFault): EnvelopeReading {
  return { ok: false, fault };
}
