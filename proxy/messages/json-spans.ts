/**
 * Where the parts of a JSON text stand, without reading what is in them: an answer is looked at, cut and passed on
 * with every other byte as the server sent it. A level that is looked at is read strictly: names that stand twice,
 * or anything that is not the expected form, give `undefined`. Works on text with one character per byte (`latin1`),
 * so that places in the text are places in the bytes.
 */

export interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export interface Members {
  readonly spans: ReadonlyMap<string, Span>;
  /** Of the whole object, braces included. */
  readonly whole: Span;
  /** The members of the member that was to be opened, if it is an object that can be read as strictly. */
  readonly opened?: ReadonlyMap<string, Span> | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The members of the object that starts at `at`; those of its member `open` are found on the same way. */
export function findMembers(text: string, at: number, open?: string): Members | undefined {
  const start = skipSpace(text, at);
  if (text[start] !== "{") {
    return undefined;
  }
  const spans = new Map<string, Span>();
  let opened: ReadonlyMap<string, Span> | undefined;
  let place = skipSpace(text, start + 1);
  if (text[place] === "}") {
    return { spans, whole: { start, end: place + 1 } };
  }
  for (;;) {
    const nameEnd = text.charCodeAt(place) === QUOTE ? skipString(text, place) : -1;
    const name = nameEnd === -1 ? undefined : readName(text, place, nameEnd);
    const colon = skipSpace(text, nameEnd);
    if (name === undefined || spans.has(name) || text[colon] !== ":") {
      return undefined;
    }
    const inner = name === open ? findMembers(text, colon + 1) : undefined;
    const value = inner?.whole ?? findValue(text, colon + 1);
    if (value === undefined) {
      return undefined;
    }
    opened = inner?.spans ?? opened;
    spans.set(name, value);
    place = skipSpace(text, value.end);
    if (text[place] === "}") {
      return { spans, opened, whole: { start, end: place + 1 } };
    }
    if (text[place] !== ",") {
      return undefined;
    }
    place = skipSpace(text, place + 1);
  }
}

/** The elements of the array that starts at `at`. */
export function findElements(text: string, at: number): Span[] | undefined {
  const start = skipSpace(text, at);
  if (text[start] !== "[") {
    return undefined;
  }
  const spans: Span[] = [];
  if (text[skipSpace(text, start + 1)] === "]") {
    return spans;
  }
  for (let place = start + 1; ; ) {
    const value = findValue(text, place);
    if (value === undefined) {
      return undefined;
    }
    spans.push(value);
    place = skipSpace(text, value.end);
    if (text[place] === "]") {
      return spans;
    }
    if (text[place] !== ",") {
      return undefined;
    }
    place++;
  }
}

/** The value of a member of a member, and so on. */
export function findPath(text: string, at: number, path: readonly string[]): Span | undefined {
  let place = at;
  let span: Span | undefined;
  for (const name of path) {
    span = findMembers(text, place)?.spans.get(name);
    if (span === undefined) {
      return undefined;
    }
    place = span.start;
  }
  return span;
}

/** The text with `span` replaced. */
export function replaceSpan(text: string, span: Span, by: string): string {
  return text.slice(0, span.start) + by + text.slice(span.end);
}

/** A part of the text as JavaScript's own reader takes it, from bytes to characters; `undefined` if it is no JSON. */
export function readSpan(text: string, span: Span): unknown {
  try {
    return JSON.parse(toCharacters(text.slice(span.start, span.end)));
  } catch {
    return undefined;
  }
}

/** From one character per byte to the characters that the bytes say, and back. */
export function toCharacters(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

export function toByteText(characters: string): string {
  return Buffer.from(characters, "utf8").toString("latin1");
}

/** Past white space. */
export function skipSpace(text: string, at: number): number {
  for (let place = at; ; place++) {
    const code = text.charCodeAt(place);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) {
      return place;
    }
  }
}

/** Finds the end of a value by its strings and brackets alone; what it holds is for whoever reads it. */
function findValue(text: string, at: number): Span | undefined {
  const start = skipSpace(text, at);
  const first = text[start];
  if (first === '"') {
    const end = skipString(text, start);
    return end === -1 ? undefined : { start, end };
  }
  if (first === "{" || first === "[") {
    const end = skipNested(text, start);
    return end === -1 ? undefined : { start, end };
  }
  const end = skipWord(text, start);
  return end === start ? undefined : { start, end };
}

/** The place after the string that starts at `at`, or -1. */
export function skipString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (end !== -1) {
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((end - before) % 2 === 1) {
      return end + 1;
    }
    end = text.indexOf('"', end + 1);
  }
  return -1;
}

/** The place after the object or array that starts at `at`, or -1. */
function skipNested(text: string, at: number): number {
  let depth = 0;
  for (let place = at; place < text.length; place++) {
    switch (text.charCodeAt(place)) {
      case QUOTE: {
        const end = skipString(text, place);
        if (end === -1) {
          return -1;
        }
        place = end - 1;
        break;
      }
      case 0x7b:
      case 0x5b:
        depth++;
        break;
      case 0x7d:
      case 0x5d:
        depth--;
        if (depth === 0) {
          return place + 1;
        }
        break;
      default:
    }
  }
  return -1;
}

/** A number, `true`, `false` or `null`. */
function skipWord(text: string, at: number): number {
  let place = at;
  while (/[-+.0-9A-Za-z]/.test(text[place] ?? "")) place++;
  return place;
}

function readName(text: string, start: number, end: number): string | undefined {
  const raw = text.slice(start + 1, end - 1);
  if (!raw.includes("\\")) {
    return raw;
  }
  const name = readSpan(text, { start, end });
  return typeof name === "string" ? toByteText(name) : undefined;
}
