/**
 * What stands out in a session, each kind in the words of a title: for a reader who has never seen the kind, on the
 * review page and in the job summary alike. A log can hold any kind: one that is not known is shown in its own words.
 */

const TITLES: ReadonlyMap<string, string> = new Map([
  // Of the broker, in a manifest.
  ["takeover_attempt", "Attempted takeover"],
  ["recovery_refused", "Refused recovery"],
  ["recovered_while_alive", "Recovered while its proxy was alive"],
  // Of the guard.
  ["self_test", "A wall of the proxy did not hold at its start"],
  ["start_failed", "The proxy could not start"],
  ["policy_changed", "The session lost something while it ran"],
  ["session_over", "The session was over before the job was"],
  ["session_renewed", "The session was renewed"],
  ["shipping_delayed", "The log could not be stored for a while"],
  ["shipping_resumed", "The log is stored again"],
  // Of what servers describe and send.
  ["tool_drifted", "A tool is not the reviewed one"],
  ["tool_unreviewed", "A tool was never reviewed"],
  ["instructions_drifted", "A server's instructions are not the reviewed ones"],
  ["tool_shadowed", "Two tools can be taken for each other"],
  ["text_cleaned", "A server's text had characters that nobody sees"],
  ["secret_redacted", "A secret was taken out of what a server sent"],
  ["injection_marker", "A server's answer looks like an injection"],
  ["server_request_refused", "A server asked the agent for what no grant allows"],
  ["server_message_dropped", "A message of a server was dropped"],
  ["server_output_dropped", "A server printed what is no message"],
  // Of what becomes of servers.
  ["upstream_lost", "A server could not be reached"],
  ["server_start_failed", "A server could not be started"],
  ["server_exited", "A server ended while it was needed"],
  ["server_restarted", "A server was started again"],
  ["server_down", "A server is down for the rest of the session"],
  ["credential_renewed", "A server's credential was renewed"],
  // Of agents, and of whoever knocks.
  ["client_attached", "An agent's client opened a session"],
  ["agent_answer_dropped", "An agent's answer to a server was dropped"],
  ["message_refused", "A message of an agent was refused"],
  ["request_refused", "Somebody was turned away at the door"],
  ["limit_reached", "A limit was reached"],
  ["internal_error", "The proxy met an error of its own"],
]);

export function titleEvent(kind: string): string {
  const words = kind.replaceAll("_", " ");
  return TITLES.get(kind) ?? words.charAt(0).toUpperCase() + words.slice(1);
}
