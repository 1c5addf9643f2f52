/**
 * The two eras of MCP, as a message shows them: a request of a stateless revision names its revision in `_meta`,
 * everything else belongs to a handshake. Headers never decide the era: clients send them in both.
 */
import { type ClientMessage, isObject, type JsonObject } from "./envelope.ts";

export type Era = "handshake" | "stateless";

/** The one revision that has JSON-RPC batches. */
export const BATCH_REVISION = "2025-03-26";
/** Revisions are dates: from this one on there is no handshake. */
export const FIRST_STATELESS_REVISION = "2026-07-28";

/** Reserved names in `_meta` (2026-07-28, basic, `_meta`). */
export const PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion";
export const CLIENT_INFO = "io.modelcontextprotocol/clientInfo";
export const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
export const LOG_LEVEL = "io.modelcontextprotocol/logLevel";
export const SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId";

/** Error codes of JSON-RPC and of MCP that the proxy itself uses or acts on. */
export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
/** Of the revisions with a handshake; later ones say `INVALID_PARAMS`. */
export const RESOURCE_NOT_FOUND = -32002;
/** The error names web pages that a person has to visit before the request is sent again. */
export const URL_ELICITATION_REQUIRED = -32042;
export const HEADER_MISMATCH = -32020;
export const MISSING_CLIENT_CAPABILITY = -32021;
export const UNSUPPORTED_PROTOCOL_VERSION = -32022;

const REVISION = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

export function isRevision(text: string): boolean {
  return REVISION.test(text);
}

export function isStatelessRevision(revision: string): boolean {
  return isRevision(revision) && revision >= FIRST_STATELESS_REVISION;
}

export function metaOf(message: ClientMessage): JsonObject | undefined {
  const meta = message.kind === "response" ? undefined : message.params?.["_meta"];
  return isObject(meta) ? meta : undefined;
}

/** Goes into a header field. */
const CLAIM = /^[\x21-\x7e]{1,64}$/;

/**
 * The revision that a message claims, known or not: whether it is served, a server that knows no handshake says
 * itself, with the names of those it serves.
 */
export function findClaimedRevision(message: ClientMessage): string | undefined {
  const claim = metaOf(message)?.[PROTOCOL_VERSION];
  return typeof claim === "string" && CLAIM.test(claim) ? claim : undefined;
}
