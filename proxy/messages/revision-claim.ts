/**
 * Whether a request that belongs to a stateless revision says so as it has to (2026-07-28, basic, `_meta`). Servers
 * over stdio have no HTTP status to answer a malformed one with, so the gate answers for all of them.
 */
import { type ClientMessage, isObject } from "./envelope.ts";
import type { Fields } from "./fields.ts";
import {
  CLIENT_CAPABILITIES,
  FIRST_STATELESS_REVISION,
  findClaimedRevision,
  isStatelessRevision,
  metaOf,
  PROTOCOL_VERSION,
} from "./revision.ts";

/** What is wrong with the claim, as one sentence for the client, or `undefined`. */
export function findClaimFault(fields: Fields, message: ClientMessage): string | undefined {
  const meta = metaOf(message);
  if (message.kind !== "request") {
    return undefined;
  }
  const claimed = findClaimedRevision(message);
  if (claimed === undefined) {
    const isWanted = isStatelessRevision(fields.get("mcp-protocol-version") ?? "");
    return isWanted || meta?.[PROTOCOL_VERSION] !== undefined
      ? `_meta has to name a revision in ${PROTOCOL_VERSION}`
      : undefined;
  }
  // What a later revision wants, its servers know.
  return claimed === FIRST_STATELESS_REVISION && !isObject(meta?.[CLIENT_CAPABILITIES])
    ? `_meta has to hold an object in ${CLIENT_CAPABILITIES}`
    : undefined;
}
