/**
 * The answer to a call: how it ended, and that it asks nothing of the agent's side that is not admitted.
 * In a stateless revision a server asks within its result (multi round-trip requests); a result of a kind that is
 * not known here could ask for anything.
 */
import { findMembers, readSpan, type Span } from "../../messages/json-spans.ts";
import { answerFailure, type Asking, refuseInputRequests } from "../../messages/refusals.ts";
import { URL_ELICITATION_REQUIRED } from "../../messages/revision.ts";
import { findMembersOf, type ServerAnswer } from "../../messages/server-message.ts";
import { type Amendment, passUnchanged } from "../forwarding/amendment.ts";
import type { InputVerdict, WrittenAsks } from "../asks/input-requests.ts";

/** What it asks for, if it asks in the way of its revision. */
export function findWrittenAsks({ era }: Pick<Asking, "era">, answer: ServerAnswer): WrittenAsks {
  if (answer.kind === "error") {
    return { pages: findPages(answer) };
  }
  const members = findMembersOf(answer, "result");
  const asked = members?.get("inputRequests");
  const type = members?.get("resultType");
  const isAsking = type !== undefined && readSpan(answer.text, type) === "input_required";
  if (members === undefined || asked === undefined || era !== "stateless" || !isAsking) {
    return {};
  }
  const state = members.get("requestState");
  return {
    inputs: asksNothing(answer, asked) ? undefined : answer.text.slice(asked.start, asked.end),
    state: state && answer.text.slice(state.start, state.end),
  };
}

function asksNothing({ text }: ServerAnswer, inputs: Span): boolean {
  return findMembers(text, inputs.start)?.spans.size === 0;
}

/** `verdict`: on what was found in it. */
export function judgeResult(asking: Asking, answer: ServerAnswer, verdict: InputVerdict["kind"]): Amendment {
  if (answer.kind === "error") {
    return verdict === "admitted" || findPages(answer) === undefined
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
  const isAdmitted =
    asked === undefined ||
    asksNothing(answer, asked) ||
    (asking.era === "stateless" && read("resultType") === "input_required" && verdict === "admitted");
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
