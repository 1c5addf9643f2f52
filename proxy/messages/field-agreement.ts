/**
 * Whether the header fields that mirror a message say what the message says. The message decides; a field that
 * says otherwise is refused, so that nobody on the way who reads only fields is misled.
 */
import type { ClientMessage, ClientRequest } from "./envelope.ts";
import { decodeFieldValue, type Fields } from "./fields.ts";
import { findClaimedRevision, isRevision } from "./revision.ts";

/** What `Mcp-Name` mirrors (2026-07-28, Streamable HTTP, "Standard Request Headers"; tasks: SEP-2663). */
const NAME_SOURCES = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);

/** What does not agree, as one sentence for the client, or `undefined`. */
export function findDisagreement(fields: Fields, message: ClientMessage): string | undefined {
  const claimed = findClaimedRevision(message);
  return (
    findRevisionDisagreement(fields.get("mcp-protocol-version"), claimed) ??
    (message.kind === "response" ? undefined : findMethodDisagreement(fields, message.method)) ??
    (message.kind === "request" ? findNameDisagreement(fields, message) : undefined) ??
    (message.kind === "request" && claimed !== undefined ? findMissing(fields, message) : undefined)
  );
}

function findRevisionDisagreement(
  field: string | undefined,
  claimed: string | undefined,
): string | undefined {
  if (field === undefined || field === claimed) {
    return undefined;
  }
  if (claimed !== undefined) {
    return `MCP-Protocol-Version is not the body's ${claimed}`;
  }
  return isRevision(field) ? undefined : "MCP-Protocol-Version is no revision";
}

function findMethodDisagreement(fields: Fields, method: string): string | undefined {
  const field = fields.get("mcp-method");
  return field !== undefined && field !== method ? "Mcp-Method is not the body's method" : undefined;
}

function findNameDisagreement(fields: Fields, request: ClientRequest): string | undefined {
  const field = fields.get("mcp-name");
  const name = findMirroredName(request);
  if (field === undefined || !NAME_SOURCES.has(request.method)) {
    return undefined;
  }
  return decodeFieldValue(field) !== name ? "Mcp-Name is not what the body names" : undefined;
}

/** The fields that a stateless revision requires of a request. */
function findMissing(fields: Fields, request: ClientRequest): string | undefined {
  if (!fields.has("mcp-protocol-version")) {
    return "MCP-Protocol-Version is missing";
  }
  if (!fields.has("mcp-method")) {
    return "Mcp-Method is missing";
  }
  return findMirroredName(request) !== undefined && !fields.has("mcp-name")
    ? "Mcp-Name is missing"
    : undefined;
}

/** What `Mcp-Name` has to say for this request, if anything. */
export function findMirroredName(request: ClientRequest): string | undefined {
  const source = NAME_SOURCES.get(request.method);
  const name = source === undefined ? undefined : request.params?.[source];
  return typeof name === "string" ? name : undefined;
}
