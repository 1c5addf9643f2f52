/**
 * A strict JSON reader (RFC 8259): one text, one value, whoever reads it.
 * What two readers could take differently is refused: names that stand twice, numbers that would change, lone
 * surrogates, a member `__proto__`, invalid UTF-8. The value is built from plain objects and arrays.
 */
import { isUtf8 } from "node:buffer";
import type { Json } from "../../audit/canonical.ts";
import { keepsItsValue } from "./json-numbers.ts";

type JsonFault =
  | "not_utf8"
  | "not_json"
  | "too_deep"
  | "duplicate_member"
  | "forbidden_member"
  | "changing_number"
  | "lone_surrogate";

export type JsonReading =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly fault: JsonFault };

export interface JsonRules {
  readonly maxDepth: number;
  /** `exact` refuses numbers that would change when written again, `any` takes the nearest double. */
  readonly numbers: "exact" | "any";
}

export function readJsonBytes(bytes: Buffer, rules: JsonRules): JsonReading {
  return isUtf8(bytes) ? readJson(bytes.toString("utf8"), rules) : { ok: false, fault: "not_utf8" };
}

export function readJson(text: string, rules: JsonRules): JsonReading {
  const reader = new Reader(text, rules);
  try {
    return { ok: true, value: reader.readDocument() };
  } catch (error) {
    if (error instanceof Refused) {
      return { ok: false, fault: error.fault };
    }
    throw error;
  }
}

/** Leaves the recursion; never leaves this module. */
class Refused extends Error {
  readonly fault: JsonFault;
  constructor(fault: JsonFault) {
    super(fault);
    this.fault = fault;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OBJECT_START = 0x7b;
const OBJECT_END = 0x7d;
const ARRAY_START = 0x5b;
const ARRAY_END = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const NEEDS_CARE = /[\u0000-\u001f\\]/;

class Reader {
  readonly #text: string;
  readonly #rules: JsonRules;
  /** Looked for once in the whole text: mostly there is none, and then no string has to be looked at again. */
  readonly #needsCare: boolean;
  #at = 0;

  constructor(text: string, rules: JsonRules) {
    this.#text = text;
    this.#rules = rules;
    this.#needsCare = NEEDS_CARE.test(text);
  }

  readDocument(): Json {
    const value = this.#readValue(this.#rules.maxDepth);
    this.#peek();
    if (this.#at !== this.#text.length) {
      throw new Refused("not_json");
    }
    return value;
  }

  /** The code of the next character that is no white space; NaN at the end, where the position is the text's length. */
  #peek(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) {
        return code;
      }
      this.#at++;
    }
  }

  #readValue(depthLeft: number): Json {
    switch (this.#peek()) {
      case QUOTE:
        return this.#readString();
      case OBJECT_START:
        return this.#readObject(depthLeft);
      case ARRAY_START:
        return this.#readArray(depthLeft);
      case 0x74:
        return this.#readWord("true", true);
      case 0x66:
        return this.#readWord("false", false);
      case 0x6e:
        return this.#readWord("null", null);
      default:
        return this.#readNumber();
    }
  }

  #readWord<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) {
      throw new Refused("not_json");
    }
    this.#at += word.length;
    return value;
  }

  #readNumber(): number {
    NUMBER.lastIndex = this.#at;
    const [text] = NUMBER.exec(this.#text) ?? [];
    if (text === undefined) {
      throw new Refused("not_json");
    }
    if (this.#rules.numbers === "exact" && !keepsItsValue(text)) {
      throw new Refused("changing_number");
    }
    this.#at += text.length;
    return Number(text);
  }

  #readString(): string {
    const start = this.#at + 1;
    let end = this.#text.indexOf('"', start);
    while (end !== -1 && this.#isEscaped(end)) {
      end = this.#text.indexOf('"', end + 1);
    }
    if (end === -1) {
      throw new Refused("not_json");
    }
    this.#at = end + 1;
    const raw = this.#text.slice(start, end);
    return this.#needsCare && NEEDS_CARE.test(raw) ? readEscapes(raw) : raw;
  }

  /** Whether the quote at `end` belongs to the string: an odd number of backslashes stands before it. */
  #isEscaped(end: number): boolean {
    let before = end - 1;
    while (this.#text.charCodeAt(before) === BACKSLASH) before--;
    return (end - before) % 2 === 0;
  }

  #readArray(depthLeft: number): Json[] {
    const values: Json[] = [];
    this.#enter(depthLeft);
    if (this.#leaves(ARRAY_END)) {
      return values;
    }
    for (;;) {
      values.push(this.#readValue(depthLeft - 1));
      if (this.#continues(ARRAY_END)) {
        return values;
      }
    }
  }

  #readObject(depthLeft: number): { [name: string]: Json } {
    const members: { [name: string]: Json } = {};
    this.#enter(depthLeft);
    if (this.#leaves(OBJECT_END)) {
      return members;
    }
    for (;;) {
      const name = this.#readName();
      if (Object.hasOwn(members, name)) {
        throw new Refused("duplicate_member");
      }
      members[name] = this.#readValue(depthLeft - 1);
      if (this.#continues(OBJECT_END)) {
        return members;
      }
    }
  }

  #readName(): string {
    if (this.#peek() !== QUOTE) {
      throw new Refused("not_json");
    }
    const name = this.#readString();
    if (name === "__proto__") {
      throw new Refused("forbidden_member");
    }
    if (this.#peek() !== COLON) {
      throw new Refused("not_json");
    }
    this.#at++;
    return name;
  }

  #enter(depthLeft: number): void {
    if (depthLeft === 0) {
      throw new Refused("too_deep");
    }
    this.#at++;
  }

  #leaves(end: number): boolean {
    const left = this.#peek() === end;
    if (left) {
      this.#at++;
    }
    return left;
  }

  /** After a member: true when the end is next, false after a comma. */
  #continues(end: number): boolean {
    const code = this.#peek();
    if (code !== end && code !== COMMA) {
      throw new Refused("not_json");
    }
    this.#at++;
    return code === end;
  }
}

/** The engine's own reader knows the escapes and refuses control characters. */
function readEscapes(raw: string): string {
  let value: unknown;
  try {
    value = JSON.parse(`"${raw}"`);
  } catch {
    throw new Refused("not_json");
  }
  if (typeof value !== "string") {
    throw new Refused("not_json");
  }
  if (!value.isWellFormed()) {
    throw new Refused("lone_surrogate");
  }
  return value;
}
