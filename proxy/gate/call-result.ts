/**
 * The answer to a call: how it ended, and that it asks nothing of the agent's side that nothing grants.
 * In a stateless revision a server asks within its result (multi round-trip requests); a result of a kind that is
 * not known here could ask for anything.
 */
import { findMembers, readSpan } from "../messages/json-spans.ts";
import { answerFailure, type Asking, refuseInputRequests } from "../messages/refusals.ts";
import { findMembersOf, type ServerAnswer } from "../messages/server-message.ts";
import { type Amendment, passUnchanged } from "./amendment.ts";

export function judgeResult(asking: Asking, answer: ServerAnswer): Amendment {
  if (answer.kind === "error") {
    return passUnchanged(answer);
  }
  const members = findMembersOf(answer, "result");
  if (members === undefined) {
    const message = "The server sent a result that cannot be read";
    return { outcome: "blocked", refusal: answerFailure(asking.id, message) };
  }
  const read = (name: string): unknown => {
    const span = members.get(name);
    return span === undefined ? undefined : readSpan(answer.text, span);
  };
  const asked = members.get("inputRequests");
  const asks = asked !== undefined && findMembers(answer.text, asked.start)?.spans.size !== 0;
  if (asks || !isKnownType(read("resultType"))) {
    return { outcome: "blocked", refusal: refuseInputRequests(asking) };
  }
  return {
    outcome: asking.kind === "tool" && read("isError") === true ? "tool_error" : "ok",
    message: answer,
  };
}

/** Input that is asked for without naming any is the server's own state, which the client hands back. */
function isKnownType(type: unknown): boolean {
  return type === undefined || type === "complete" || type === "input_required";
}
