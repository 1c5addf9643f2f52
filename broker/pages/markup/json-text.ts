/**
 * JSON as text for a reader, bounded: a value of any size or depth gives a text that fits on a page.
 */

const MAX_CHARS = 16_384;
const MAX_DEPTH = 24;
/** Short objects and arrays stay on one line. */
const LINE_CHARS = 72;

/** Two spaces of indentation; what does not fit is replaced by a sentence that says so. */
export function formatJson(value: unknown): string {
  const text = write(value, "", 0);
  const more = text.length - MAX_CHARS;
  return more <= 0 ? text : `${text.slice(0, MAX_CHARS)}\n… ${more} more characters`;
}

function write(value: unknown, indent: string, depth: number): string {
  if (value === null || typeof value !== "object") {
    return JSON.stringify(value) ?? "null";
  }
  if (depth === MAX_DEPTH) {
    return "… nested deeper";
  }
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  const items: string[] = list
    ? value.map((item) => write(item, inner, depth + 1))
    : Object.entries(value).map(
        ([name, item]) => `${JSON.stringify(name)}: ${write(item, inner, depth + 1)}`,
      );
  const [open, close] = list ? ["[", "]"] : ["{", "}"];
  if (items.length === 0) {
    return open + close;
  }
  const line = list ? `[${items.join(", ")}]` : `{ ${items.join(", ")} }`;
  if (line.length <= LINE_CHARS && !line.includes("\n") && depth > 0) {
    return line;
  }
  return `${open}\n${items.map((item) => inner + item).join(",\n")}\n${indent}${close}`;
}

const MAX_LINE_CHARS = 180;
const MAX_PREVIEW_MEMBERS = 8;

/** On one line, however long it was. */
export function formatJsonLine(value: unknown): string {
  return clip(write(value, "", 0).replaceAll(/\n\s*/g, " "));
}

/** A member of an object on one line; the value alone has no name. */
export interface PreviewMember {
  readonly name: string;
  readonly text: string;
}

const SHORT_MEMBER_CHARS = 60;

/** What a call was about, at a glance: its arguments by name, long ones last. */
export function previewMembers(value: unknown): PreviewMember[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return [{ name: "", text: formatJsonLine(value) }];
  }
  const members = Object.entries(value).map(([name, member]) => ({
    name: clip(name),
    text: formatJsonLine(member),
  }));
  const isShort = ({ text }: PreviewMember) => text.length <= SHORT_MEMBER_CHARS;
  return [...members.filter(isShort), ...members.filter((member) => !isShort(member))].slice(
    0,
    MAX_PREVIEW_MEMBERS,
  );
}

function clip(text: string): string {
  return text.length <= MAX_LINE_CHARS ? text : `${text.slice(0, MAX_LINE_CHARS)}…`;
}
