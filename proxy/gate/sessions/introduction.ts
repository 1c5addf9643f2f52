/**
 * What a server says of itself in the answer to `initialize` or `server/discover`: its instructions only as they were
 * reviewed, where they are locked, and nothing of it with what a person does not see.
 */
import { hash } from "node:crypto";
import { digestInstructions } from "../../../policies/lock/definition.ts";
import { cleanDefinition } from "../../inspection/definition-cleaning.ts";
import { readSpan } from "../../messages/json-spans.ts";
import { findMembersOf, replaceInMessage, type ServerAnswer } from "../../messages/server-message.ts";
import type { GateContext } from "../gate-context.ts";

export function cleanIntroduction(context: GateContext, answer: ServerAnswer): ServerAnswer {
  return cleanServerInfo(context, cleanInstructions(context, answer));
}

function cleanInstructions({ visibility, findings }: GateContext, answer: ServerAnswer): ServerAnswer {
  const span = findMembersOf(answer, "result")?.get("instructions");
  const instructions = span === undefined ? undefined : readSpan(answer.text, span);
  if (span === undefined || instructions === "") {
    return answer;
  }
  if (typeof instructions !== "string") {
    return replaceInMessage(answer, span, '""');
  }
  const digest = digestInstructions(instructions);
  if (visibility.isLocked && digest !== visibility.lockedInstructions) {
    findings.noteInstructions(digest, instructions);
    return replaceInMessage(answer, span, '""');
  }
  const { text, removed } = cleanDefinition(answer.text.slice(span.start, span.end));
  findings.noteCleaned("instructions", digest, removed);
  return removed.size === 0 ? answer : replaceInMessage(answer, span, text);
}

function cleanServerInfo({ findings }: GateContext, answer: ServerAnswer): ServerAnswer {
  const span = findMembersOf(answer, "result")?.get("serverInfo");
  if (span === undefined) {
    return answer;
  }
  const written = answer.text.slice(span.start, span.end);
  const { text, removed } = cleanDefinition(written);
  if (removed.size === 0) {
    return answer;
  }
  findings.noteCleaned("server_info", hash("sha256", written, "hex"), removed);
  return replaceInMessage(answer, span, text);
}
