/**
 * The strings of a server's message that somebody reads, names of members included: all but those that make it a
 * message. Left out are images, sound and other binary data, and what a client only hands back to the server.
 */
import {
  findElements,
  findMembers,
  readSpan,
  skipSpace,
  skipString,
  type Span,
} from "../messages/json-spans.ts";
import { findMembersOf, type ServerMessage } from "../messages/server-message.ts";

export interface StringSpan extends Span {
  readonly isName: boolean;
}

const ENVELOPE = new Set(["jsonrpc", "id", "method"]);
/** Of the body: opaque to everybody but the server. */
const HANDED_BACK = ["nextCursor", "requestState", "progressToken", "requestId"];
/** Where blocks of content are listed, each of which can list others. */
const LISTS = ["content", "contents", "messages", "resource"];
const MAX_NESTING = 4;

type Message = Pick<ServerMessage, "text" | "members">;

/** What is not read, in its order. */
export function findUnread(message: ServerMessage): Span[] {
  const unread: Span[] = [];
  for (const [name] of listBodies(message)) {
    const members = findMembersOf(message, name);
    for (const name of HANDED_BACK) {
      const span = members?.get(name);
      if (span !== undefined && message.text[span.start] === '"') {
        unread.push(span);
      }
    }
    collectBinary(message.text, members, { into: unread, depth: 0 });
  }
  return unread.sort((left, right) => left.start - right.start);
}

interface Collected {
  readonly into: Span[];
  readonly depth: number;
}

/** A block in which a name stands twice is nothing that could be told to be binary. */
function collectBinary(
  text: string,
  members: ReadonlyMap<string, Span> | undefined,
  { into, depth }: Collected,
): void {
  if (members === undefined || depth > MAX_NESTING) {
    return;
  }
  const type = members.get("type");
  const said = type === undefined ? undefined : readSpan(text, type);
  const binary = members.get(said === "image" || said === "audio" ? "data" : "blob");
  if (binary !== undefined && text[binary.start] === '"') {
    into.push(binary);
  }
  for (const list of LISTS) {
    const span = members.get(list);
    const inner = span === undefined ? [] : (findElements(text, span.start) ?? [span]);
    inner.forEach((each) =>
      collectBinary(text, findMembers(text, each.start)?.spans, { into, depth: depth + 1 }),
    );
  }
}

/** In one pass; nothing where a string has no end. `noted` hears of each; it can throw to end it. */
export function findStrings(
  message: Message,
  unread: readonly Span[],
  noted: () => void,
): StringSpan[] | undefined {
  const { text } = message;
  const strings: StringSpan[] = [];
  let next = 0;
  for (const [, body] of listBodies(message)) {
    for (let start = text.indexOf('"', body.start); start !== -1 && start < body.end; ) {
      const end = skipString(text, start);
      if (end === -1) {
        return undefined;
      }
      while ((unread[next]?.end ?? Infinity) <= start) next++;
      if (unread[next]?.start !== start) {
        noted();
        strings.push({ start, end, isName: text[skipSpace(text, end)] === ":" });
      }
      start = text.indexOf('"', end);
    }
  }
  return strings;
}

function listBodies({ members }: Message): [string, Span][] {
  return [...members].filter(([name]) => !ENVELOPE.has(name));
}
