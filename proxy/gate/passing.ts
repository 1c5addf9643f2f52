/**
 * Which methods exist for an agent beside its tools: what keeps a conversation going and names nothing.
 * Everything that is not in these tables is answered as an unknown method, without asking the server.
 */

/** From a client, requests other than `tools/call` and `tools/list`. */
const REQUESTS = new Set(["initialize", "ping", "server/discover", "subscriptions/listen"]);

/** `notifications/cancelled` is acted on, not passed. */
const CLIENT_NOTIFICATIONS = new Set(["notifications/initialized", "notifications/progress"]);

const SERVER_NOTIFICATIONS = new Set([
  "notifications/progress",
  "notifications/tools/list_changed",
  "notifications/subscriptions/acknowledged",
]);

export function isPassingRequest(method: string): boolean {
  return REQUESTS.has(method);
}

export function isPassingClientNotification(method: string): boolean {
  return CLIENT_NOTIFICATIONS.has(method);
}

export function isPassingNotification(method: string): boolean {
  return SERVER_NOTIFICATIONS.has(method);
}
