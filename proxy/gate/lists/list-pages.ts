/**
 * The pages of one list, and the list that they are together: the first page with the entries of all, byte for byte as
 * the server wrote each, and without a cursor, as if it had given them out at once.
 */
import { findElements, readSpan, type Span } from "../../messages/json-spans.ts";
import { findMembersOf, replaceInMessage, type ServerAnswer } from "../../messages/server-message.ts";
import type { Listing } from "../named-things.ts";

export interface ListPage {
  readonly answer: ServerAnswer;
  /** Of the array of entries. */
  readonly list: Span;
  readonly next: Span | undefined;
  /** The entries, without the brackets around them. */
  readonly written: string;
  readonly entries: readonly Span[];
  /** What asks for the page after it. */
  readonly cursor: string | undefined;
}

/** `undefined` for what is no list. */
export function readPage(answer: ServerAnswer, { member }: Listing): ListPage | undefined {
  const { text } = answer;
  const members = findMembersOf(answer, "result");
  const list = members?.get(member);
  const entries = list === undefined ? undefined : findElements(text, list.start);
  if (list === undefined || entries === undefined) {
    return undefined;
  }
  const next = members?.get("nextCursor");
  const cursor = next === undefined ? undefined : readSpan(text, next);
  const written = text.slice(list.start + 1, list.end - 1).trim();
  if (typeof cursor === "string") {
    return { answer, list, entries, next, written, cursor };
  }
  // Some servers say of the last page that there is no other.
  return cursor === undefined || cursor === null
    ? { answer, list, entries, next, written, cursor: undefined }
    : undefined;
}

export function joinPages(pages: readonly [ListPage, ...ListPage[]]): ServerAnswer {
  const [{ answer, list, next }] = pages;
  const written = pages.flatMap((page) => (page.written === "" ? [] : [page.written]));
  const joined = { span: list, by: `[${written.join(",")}]` };
  const end = next === undefined ? [] : [endList(answer.text, next, pages.at(-1))];
  const changes = [joined, ...end].toSorted((one, other) => other.span.start - one.span.start);
  // From behind: what stands before keeps its place.
  return changes.reduce((message, { span, by }) => replaceInMessage(message, span, by), answer);
}

interface Change {
  readonly span: Span;
  readonly by: string;
}

/** As the last page ends: there it may say that there is no other, or nothing. */
function endList(text: string, next: Span, last: ListPage | undefined): Change {
  return last?.next === undefined || last.cursor !== undefined
    ? { span: spanMember(text, next), by: "" }
    : { span: next, by: last.answer.text.slice(last.next.start, last.next.end) };
}

/** Of a member, with its name and the comma that sets it apart; the object has others. */
function spanMember(text: string, value: Span): Span {
  const name = text.lastIndexOf('"', text.lastIndexOf('"', value.start - 1) - 1);
  const before = text.slice(0, name).trimEnd();
  if (before.endsWith(",")) {
    return { start: before.length - 1, end: value.end };
  }
  return { start: name, end: text.length - text.slice(value.end).trimStart().replace(/^,\s*/, "").length };
}
