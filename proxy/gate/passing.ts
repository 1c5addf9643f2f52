/**
 * The notifications that exist between an agent and a server. All others end here.
 */
import type { RequestId } from "../messages/envelope.ts";
import { toByteText } from "../messages/json-spans.ts";
import { SUBSCRIPTION_ID } from "../messages/revision.ts";
import { type Kind, KINDS } from "./named-things.ts";

export const PROGRESS = "notifications/progress";
export const CANCELLED = "notifications/cancelled";
/** What a person was sent to a web page for is done. */
export const ELICITED = "notifications/elicitation/complete";
export const ROOTS_CHANGED = "notifications/roots/list_changed";
export const UPDATED = "notifications/resources/updated";
export const SUBSCRIBED = "notifications/subscriptions/acknowledged";

/** A list is another one. */
const CHANGED = {
  tool: "notifications/tools/list_changed",
  resource: "notifications/resources/list_changed",
  prompt: "notifications/prompts/list_changed",
} as const satisfies Record<Kind, string>;

/** Of which kind is the list that a server says has changed. */
export function findChangedKind(method: string): Kind | undefined {
  return KINDS.find((kind) => CHANGED[kind] === method);
}

/** `notifications/cancelled` is acted on, not passed. */
const FROM_CLIENTS = new Set(["notifications/initialized", PROGRESS]);

export function passesFromClient(method: string): boolean {
  return FROM_CLIENTS.has(method);
}

/** The gate's own word that a list has changed; `subscription` is the id of the request that listens. */
export function writeChanged(kind: Kind, subscription?: RequestId): string {
  const params = subscription === undefined ? undefined : { _meta: { [SUBSCRIPTION_ID]: subscription } };
  return toByteText(JSON.stringify({ jsonrpc: "2.0", method: CHANGED[kind], ...(params && { params }) }));
}
