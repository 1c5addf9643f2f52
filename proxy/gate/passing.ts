/**
 * Which notifications pass: what keeps a conversation going and names nothing. All others end here.
 */

import type { RequestId } from "../messages/envelope.ts";
import { toByteText } from "../messages/json-spans.ts";
import { SUBSCRIPTION_ID } from "../messages/revision.ts";

export const TOOLS_CHANGED = "notifications/tools/list_changed";
export const SUBSCRIBED = "notifications/subscriptions/acknowledged";

/** `notifications/cancelled` is acted on, not passed. */
const FROM_CLIENTS = new Set(["notifications/initialized", "notifications/progress"]);

const FROM_SERVERS = new Set(["notifications/progress", TOOLS_CHANGED, SUBSCRIBED]);

export function passesFromClient(method: string): boolean {
  return FROM_CLIENTS.has(method);
}

export function passesFromServer(method: string): boolean {
  return FROM_SERVERS.has(method);
}

/** The gate's own word that the list has changed; `subscription` is the id of the request that listens. */
export function writeToolsChanged(subscription?: RequestId): string {
  const params = subscription === undefined ? undefined : { _meta: { [SUBSCRIPTION_ID]: subscription } };
  return toByteText(JSON.stringify({ jsonrpc: "2.0", method: TOOLS_CHANGED, ...(params && { params }) }));
}
