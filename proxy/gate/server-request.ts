/**
 * Requests of a server to the agent's side (sampling, elicitation, roots): nothing grants them, so the server gets
 * its answer here and does not wait for an agent that never hears of it.
 */
import { METHOD_NOT_FOUND } from "../messages/revision.ts";
import type { ServerRequest } from "../messages/server-message.ts";
import type { Recording } from "../recording.ts";

const KNOWN = new Set(["sampling/createMessage", "elicitation/create", "roots/list"]);

/** The answer, one line of JSON. */
export function answerServerRequest(
  recording: Recording,
  server: string,
  { id, method }: ServerRequest,
): string {
  if (method === "ping") {
    return JSON.stringify({ jsonrpc: "2.0", id, result: {} });
  }
  const kind = KNOWN.has(method) ? method : "other";
  recording.noteRepeated("server_request_refused", `${server} ${kind}`, { server, method: kind });
  return JSON.stringify({
    jsonrpc: "2.0",
    id,
    error: { code: METHOD_NOT_FOUND, message: "Method not found" },
  });
}
