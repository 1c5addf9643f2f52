/**
 * Canonical JSON (RFC 8785): one value, one text. Hashes and signatures are made over it.
 * What JSON cannot say is refused, never guessed: two readers cannot disagree about what was hashed.
 */

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** Nesting beyond it is refused: a hostile document must not exhaust the stack of whoever reads it. */
export const MAX_DEPTH = 256;

export class CanonicalError extends Error {
  readonly code = "not_canonical";
}

/** The canonical text. Members that are `undefined` are left out, as `JSON.stringify` does. Throws `CanonicalError`. */
export function canonicalize(value: unknown): string {
  return writeValue(value, MAX_DEPTH);
}

/** A canonical object that lacks one member: `place` is where in `text` that member would stand. */
export interface Gap {
  readonly text: string;
  readonly place: number;
}

/** The canonical text of an object without its member `name`. Throws `CanonicalError`. */
export function canonicalizeWithout(value: object, name: string): Gap {
  requirePlain(value);
  let text = "{";
  let place = 1;
  for (const other of sortNames(Object.keys(value))) {
    const member = value[other];
    if (member !== undefined && other !== name) {
      text += (text.length === 1 ? "" : ",") + writeName(other) + writeValue(member, MAX_DEPTH - 1);
      if (other < name) {
        place = text.length;
      }
    }
  }
  return { text: text + "}", place };
}

/** The canonical object with the missing member; `member` is its text, `"name":value`. */
export function fillGap({ text, place }: Gap, member: string): string {
  const before = text.slice(0, place);
  const after = text.slice(place);
  if (place > 1) {
    return before + "," + member + after;
  }
  return before + member + (after === "}" ? "" : ",") + after;
}

function writeValue(value: unknown, depthLeft: number): string {
  switch (typeof value) {
    case "string":
      return writeString(value);
    case "number":
      return writeNumber(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) {
        return "null";
      }
      if (depthLeft === 0) {
        throw new CanonicalError(`nested deeper than ${MAX_DEPTH} levels`);
      }
      return Array.isArray(value) ? writeArray(value, depthLeft - 1) : writeObject(value, depthLeft - 1);
    default:
      throw new CanonicalError(`JSON has no ${typeof value}`);
  }
}

function writeArray(values: readonly unknown[], depthLeft: number): string {
  let text = "[";
  for (let index = 0; index < values.length; index++) {
    text += (index === 0 ? "" : ",") + writeValue(values[index], depthLeft);
  }
  return text + "]";
}

function writeObject(value: object, depthLeft: number): string {
  requirePlain(value);
  let text = "{";
  for (const name of sortNames(Object.keys(value))) {
    const member = value[name];
    if (member !== undefined) {
      text += (text.length === 1 ? "" : ",") + writeName(name) + writeValue(member, depthLeft);
    }
  }
  return text + "}";
}

/** A Date, a Map or a Buffer has no one JSON form. */
function requirePlain(value: object): asserts value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new CanonicalError("only plain objects and arrays are JSON");
  }
}

/** From here on the engine's own sort, which is slower to start, wins over insertion. */
const INSERTION_SORT_NAMES = 24;

/** By UTF-16 code units (section 3.2.3), which is how JavaScript compares strings. Sorts in place. */
function sortNames(names: string[]): string[] {
  if (names.length > INSERTION_SORT_NAMES) {
    return names.sort();
  }
  for (let next = 1; next < names.length; next++) {
    const name = names[next] ?? "";
    let place = next;
    for (let before = names[place - 1]; before !== undefined && before > name; before = names[place - 1]) {
      names[place] = before;
      place--;
    }
    names[place] = name;
  }
  return names;
}

/** What has to be escaped, and surrogates, which may be alone. */
const NEEDS_CARE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Section 3.2.2.2: JavaScript's own escapes are the prescribed ones, except that it lets lone surrogates through. */
function writeString(text: string): string {
  if (!NEEDS_CARE.test(text)) {
    return '"' + text + '"';
  }
  if (!text.isWellFormed()) {
    throw new CanonicalError("a lone surrogate has no UTF-8 form");
  }
  return JSON.stringify(text);
}

/** Names repeat from record to record. Bounded, since the names in arguments are chosen by whoever calls. */
const knownNames = new Map<string, string>();
const MAX_KNOWN_NAMES = 512;
const MAX_KNOWN_NAME_LENGTH = 64;

/** A member's name with its colon. */
function writeName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) {
    return known;
  }
  const written = writeString(name) + ":";
  if (knownNames.size < MAX_KNOWN_NAMES && name.length <= MAX_KNOWN_NAME_LENGTH) {
    knownNames.set(name, written);
  }
  return written;
}

/** Section 3.2.2.3: JavaScript's shortest form is the prescribed one; the sign of -0 is lost. */
function writeNumber(value: number): string {
  if (!Number.isFinite(value)) {
    throw new CanonicalError(`JSON has no ${value}`);
  }
  return String(value);
}
