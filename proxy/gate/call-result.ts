/**
 * The answer to a call: how it ended, and that it asks nothing of the agent's side that is not admitted.
 * In a stateless revision a server asks within its result (multi round-trip requests); a result of a kind that is
 * not known here could ask for anything.
 */
import { findMembers, readSpan } from "../messages/json-spans.ts";
import { answerFailure, type Asking, refuseInputRequests } from "../messages/refusals.ts";
import { URL_ELICITATION_REQUIRED } from "../messages/revision.ts";
import { findMembersOf, type ServerAnswer } from "../messages/server-message.ts";
import { type Amendment, passUnchanged } from "./amendment.ts";

export interface Admission {
  /** Of the object of inputs that the server needs. */
  admitInputs(written: string): boolean;
  /** Of the pages that a person has to visit, in an error's data. */
  admitPages(written: string): boolean;
}

/** Throws `RecordingFailed` where what is asked for is not recorded. */
export function judgeResult(asking: Asking, answer: ServerAnswer, admission: Admission): Amendment {
  if (answer.kind === "error") {
    const pages = findPages(answer);
    return pages === undefined || admission.admitPages(pages)
      ? passUnchanged(answer)
      : { outcome: "blocked", refusal: refuseInputRequests(asking) };
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
  const isAdmitted =
    !asks ||
    (asking.era === "stateless" &&
      read("resultType") === "input_required" &&
      admission.admitInputs(answer.text.slice(asked.start, asked.end)));
  if (!isAdmitted || !isKnownType(read("resultType"))) {
    return { outcome: "blocked", refusal: refuseInputRequests(asking) };
  }
  return {
    outcome: asking.kind === "tool" && read("isError") === true ? "tool_error" : "ok",
    message: answer,
  };
}

/** An error can ask, too (2025-11-25, Elicitation, "URL Elicitation Required Error"). */
function findPages(answer: ServerAnswer): string | undefined {
  const error = answer.members.get("error");
  const members = findMembersOf(answer, "error");
  if (members === undefined) {
    // An object of which two readers could take different members.
    return error !== undefined && answer.text[error.start] === "{" ? "" : undefined;
  }
  const [code, data] = [members.get("code"), members.get("data")];
  if (code === undefined || readSpan(answer.text, code) !== URL_ELICITATION_REQUIRED) {
    return undefined;
  }
  return data === undefined ? "" : answer.text.slice(data.start, data.end);
}

/** Input that is asked for without naming any is the server's own state, which the client hands back. */
function isKnownType(type: unknown): boolean {
  return type === undefined || type === "complete" || type === "input_required";
}
