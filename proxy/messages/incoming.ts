/**
 * The one reading of what an agent sent: the messages in a body, each of which agrees with the header fields.
 */
import type { Limits } from "../limits.ts";
import { type ClientMessage, parseClientMessage } from "./envelope.ts";
import { findDisagreement } from "./field-agreement.ts";
import type { Fields } from "./fields.ts";
import { readJsonBytes } from "./json-reading.ts";
import { type Answer, refuseClaim, refuseDisagreement, refuseMessage, refuseUnreadable } from "./refusals.ts";
import { findClaimFault } from "./revision-claim.ts";
import { findClaimedRevision } from "./revision.ts";

export type Incoming =
  | { readonly ok: true; readonly messages: readonly ClientMessage[]; readonly isBatch: boolean }
  /** `reason` is one of a closed set. */
  | { readonly ok: false; readonly reason: string; readonly answer: Answer };

export function readIncoming(body: Buffer, fields: Fields, limits: Limits): Incoming {
  const reading = readJsonBytes(body, { maxDepth: limits.maxDepth, numbers: "exact" });
  if (!reading.ok) {
    return { ok: false, reason: reading.fault, answer: refuseUnreadable(reading.fault) };
  }
  const isBatch = Array.isArray(reading.value);
  const values = Array.isArray(reading.value) ? reading.value : [reading.value];
  if (values.length === 0 || values.length > limits.maxBatchLength) {
    return refuse("batch_length");
  }
  const messages: ClientMessage[] = [];
  for (const value of values) {
    const parsed = parseClientMessage(value);
    if (!parsed.ok) {
      return refuse(parsed.fault);
    }
    messages.push(parsed.message);
  }
  const [first] = messages;
  if (!isBatch && first?.kind === "request") {
    const fault = findClaimFault(fields, first);
    if (fault !== undefined) {
      return { ok: false, reason: "bad_claim", answer: refuseClaim(first.id, fault) };
    }
  }
  const detail =
    isBatch || first === undefined ? findBatchFault(fields, messages) : findDisagreement(fields, first);
  if (detail !== undefined) {
    const id = !isBatch && first?.kind === "request" ? first.id : null;
    return { ok: false, reason: "header_mismatch", answer: refuseDisagreement(id, detail) };
  }
  return { ok: true, messages, isBatch };
}

/** Fields that mirror one message cannot mirror several, and a stateless revision has no batches. */
function findBatchFault(fields: Fields, messages: readonly ClientMessage[]): string | undefined {
  if (fields.has("mcp-method") || fields.has("mcp-name")) {
    return "Mcp-Method and Mcp-Name do not go with a batch";
  }
  const claims = messages.some((message) => findClaimedRevision(message) !== undefined);
  return claims ? "a revision without a handshake has no batches" : undefined;
}

function refuse(reason: string): Incoming {
  return { ok: false, reason, answer: refuseMessage(reason) };
}
