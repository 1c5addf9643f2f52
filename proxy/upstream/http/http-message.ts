/**
 * What goes to a server over HTTP: the message as it was decided on, and the header fields that follow from it.
 */
import type { RequestId } from "../../messages/envelope.ts";
import { findMirroredName } from "../../messages/field-agreement.ts";
import { encodeFieldValue } from "../../messages/fields.ts";
import type { Forward, StreamRequest } from "../upstream.ts";

export type OutgoingFields = Record<string, string>;

export function writeMessage(message: Forward["message"]): string {
  const { method, params } = message;
  return JSON.stringify({
    jsonrpc: "2.0",
    ...(message.kind === "request" && { id: message.id }),
    method,
    ...(params !== undefined && { params }),
  });
}

export function writeCancellation(requestId: RequestId, reason: string | undefined): string {
  const params = { requestId, ...(reason !== undefined && { reason }) };
  return JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params });
}

/** Built from the message that was decided on, never copied from the agent's request. */
export function buildFields(forward: Forward): OutgoingFields {
  const { message, era } = forward;
  const fields = buildSessionFields(forward);
  if (era === "stateless") {
    const name = message.kind === "request" ? findMirroredName(message) : undefined;
    fields["mcp-method"] = message.method;
    if (name !== undefined) {
      fields["mcp-name"] = encodeFieldValue(name);
    }
    for (const [field, value] of forward.paramFields) {
      fields[field] = value;
    }
  }
  return fields;
}

export function buildSessionFields({
  accept,
  revision,
  session,
}: Omit<StreamRequest, "lastEventId">): OutgoingFields {
  return {
    accept,
    ...(revision !== undefined && { "mcp-protocol-version": revision }),
    ...(session !== undefined && { "mcp-session-id": session }),
  };
}
