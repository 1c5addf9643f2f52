/**
 * The methods by which a server wants something of the agent's side, each with the name that a grant has for it.
 */
import type { Ask } from "../../policies/asks.ts";

export const SET_LEVEL = "logging/setLevel";
/** What a server logs, on its way to a client. */
export const LOGGED = "notifications/message";

/** Requests that only a server sends: of themselves in a session, and without one within a result. */
export const ASKING_METHODS: ReadonlyMap<string, Ask> = new Map([
  ["sampling/createMessage", "sampling"],
  ["elicitation/create", "elicitation"],
  ["roots/list", "roots"],
]);

/** By method, on the log as well: what each is about. */
export const ASK_METHODS: ReadonlyMap<string, Ask> = new Map([
  ...ASKING_METHODS,
  [SET_LEVEL, "logging"],
  [LOGGED, "logging"],
]);

/**
 * Who wants what of whom, for people; undefined for any other call. What a server asks is recorded as a call only where
 * it is let through: one that was denied is an agent's, which can name any method.
 */
export function describeAsk({ method, decision }: RecordedMethod): string | undefined {
  if (method === SET_LEVEL) {
    return "the agent asked the server: logging";
  }
  const ask = decision === "allow" ? ASK_METHODS.get(method) : undefined;
  return ask && `the server ${method === LOGGED ? "told" : "asked"} the agent: ${ask}`;
}

interface RecordedMethod {
  readonly method: string;
  readonly decision: "allow" | "deny";
}
