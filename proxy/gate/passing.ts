/**
 * Which notifications pass: what keeps a conversation going and names nothing. All others end here.
 */

/** `notifications/cancelled` is acted on, not passed. */
const FROM_CLIENTS = new Set(["notifications/initialized", "notifications/progress"]);

const FROM_SERVERS = new Set([
  "notifications/progress",
  "notifications/tools/list_changed",
  "notifications/subscriptions/acknowledged",
]);

export function passesFromClient(method: string): boolean {
  return FROM_CLIENTS.has(method);
}

export function passesFromServer(method: string): boolean {
  return FROM_SERVERS.has(method);
}
