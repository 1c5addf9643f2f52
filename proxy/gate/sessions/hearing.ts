/**
 * What of a server's notifications an agent hears as they are: what keeps a conversation going, and that a resource
 * changed which it may read and asked to hear of. That a list changed, the gate says itself.
 */
import { readSpan } from "../../messages/json-spans.ts";
import { findMembersOf, type ServerNotification } from "../../messages/server-message.ts";
import { PROGRESS, SUBSCRIBED, UPDATED } from "../passing.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { Visibility } from "../lists/visibility.ts";

export interface Hearing {
  /** What goes on to the agent, if anything. */
  hear(notification: ServerNotification): ServerNotification | undefined;
}

export function openHearing(visibility: Visibility, subscriptions: Subscriptions): Hearing {
  const passes = (notification: ServerNotification): boolean => {
    switch (notification.method) {
      case PROGRESS:
      case SUBSCRIBED:
        return true;
      case UPDATED: {
        const span = findMembersOf(notification, "params")?.get("uri");
        const uri = span === undefined ? undefined : readSpan(notification.text, span);
        return typeof uri === "string" && subscriptions.covers(uri) && visibility.shows("resource", uri);
      }
      default:
        return false;
    }
  };
  return { hear: (notification) => (passes(notification) ? notification : undefined) };
}
