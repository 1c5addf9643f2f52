/**
 * What of a server's notifications an agent hears: what keeps a conversation going, that a list changed of which it may
 * see something, and that a resource changed which it may read and asked to hear of.
 */
import type { CompiledPolicy } from "../../policies/decision.ts";
import { readSpan } from "../messages/json-spans.ts";
import { findMembersOf, type ServerNotification } from "../messages/server-message.ts";
import { CHANGED, PROGRESS, SUBSCRIBED, UPDATED } from "./passing.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { Visibility } from "./visibility.ts";

export interface Hearing {
  /** What goes on to the agent, if anything. */
  hear(notification: ServerNotification): ServerNotification | undefined;
}

export interface HearingOptions {
  readonly server: string;
  readonly policy: CompiledPolicy;
  readonly visibility: Visibility;
}

export function openHearing(
  { server, policy, visibility }: HearingOptions,
  subscriptions: Subscriptions,
): Hearing {
  const passes = (notification: ServerNotification): boolean => {
    switch (notification.method) {
      case PROGRESS:
      case SUBSCRIBED:
        return true;
      case CHANGED.tool:
        return policy.reaches(server, "tool");
      case CHANGED.resource:
        return policy.reaches(server, "resource");
      case CHANGED.prompt:
        return policy.reaches(server, "prompt");
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
