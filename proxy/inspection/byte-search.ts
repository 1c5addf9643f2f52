/**
 * Looks for many short byte sequences at once, in one pass over pairs of bytes: a text without any of them, which is
 * nearly every text, costs little more than reading it. It tells of which kinds something is there and misses none;
 * where it is, is for a closer look.
 *
 * Sequences are dealt into buckets. By what stands at an even place, one table tells the buckets with a sequence that
 * has this pair, another those with a sequence that goes on with the next pair: where both name one, the sequences
 * that have the pair are compared.
 */

import { foldCase, isControl, listPairs, mark, SPACE } from "./byte-pairs.ts";

/** One bit: what is found is the kinds joined by `|`. */
export type Kind = number;

export interface Sequence {
  readonly kind: Kind;
  /** At least two bytes, one character each. */
  readonly bytes: string;
  /** Letters of ASCII in either case. */
  readonly anyCase?: boolean;
}

interface Candidate {
  readonly kind: Kind;
  /** In lower case where any case counts. */
  readonly codes: Uint8Array;
  readonly anyCase: boolean;
  /** From the sequence's first byte to the pair: -1 where that begins one byte before it. */
  readonly offset: number;
}

const BUCKETS = 14;
/** For what may be an escape, and for what is looked at whatever follows. */
const ESCAPES = 1 << 14;
const ALWAYS = 1 << 15;
const BACKSLASH = 0x5c;
const CARRIAGE_RETURN = 0x72;
const LINE_FEED = 0x6e;
/** After the backslash of an escape that stands for `"`, `\` or white space. */
const PLAIN_ESCAPES = new Set(['"', "\\", "n", "t"].map((sign) => sign.charCodeAt(0)));

/** The commonest pairs of letters: nearly every text has them. */
const COMMON = new Set(
  "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ec ct us".split(
    " ",
  ),
);

/** Pairs that are looked at in one step. */
const STEP = 4;
/** And before what they gave is looked at. */
const BLOCK = 4096;
/** Bytes that the last step reads behind a text. */
const BEHIND = 16;
const FIRST_KEPT = 64 * 1024;
/** Longer texts are rare: what they were held in is let go. */
const MAX_KEPT = 1024 * 1024;

/** The same bytes in ones, twos and fours. Every machine that Node runs on is little-endian. */
interface Held {
  readonly bytes: Buffer;
  readonly words: Uint16Array;
  readonly doubles: Int32Array;
}

function hold(length: number): Held {
  const whole = new ArrayBuffer((length + 3) & ~3);
  return { bytes: Buffer.from(whole), words: new Uint16Array(whole), doubles: new Int32Array(whole) };
}

export class ByteSearch {
  readonly #escape: Kind;
  readonly #control: Kind;
  /** By pair of bytes, the first in the lower half: one bit per bucket. */
  readonly #pairs = new Uint16Array(0x10000);
  readonly #following = new Uint16Array(0x10000).fill(ALWAYS | ESCAPES);
  /** By pair. */
  readonly #candidates = new Array<Candidate[] | undefined>(0x10000);
  /** By the second byte of a pair whose first can be any. */
  readonly #openCandidates = new Array<Candidate[] | undefined>(0x100);
  /** What is searched, written over by the next. */
  #held = hold(FIRST_KEPT);
  /** Of one block, written over by the next. */
  readonly #hits = new Int32Array(BLOCK / STEP);
  #dealt = 0;

  /** `escape`: escapes of JSON but for `\" \\ \n \t \r\n`. `control`: control characters but white space. */
  constructor({ escape, control }: { readonly escape: Kind; readonly control: Kind }) {
    this.#escape = escape;
    this.#control = control;
    for (let byte = 0; byte < 0x100; byte++) {
      if (isControl(byte)) {
        mark(this.#pairs, { first: byte, bits: ALWAYS });
        mark(this.#pairs, { second: byte, bits: ALWAYS });
      }
      if (PLAIN_ESCAPES.has(byte)) {
        listPairs({ first: byte }).forEach((pair) => (this.#following[pair] = ALWAYS));
      } else {
        mark(this.#pairs, { first: BACKSLASH, second: byte, bits: ALWAYS });
      }
    }
    mark(this.#pairs, { first: BACKSLASH, second: BACKSLASH, bits: ALWAYS });
    mark(this.#pairs, { second: BACKSLASH, bits: ESCAPES });
  }

  add({ kind, bytes, anyCase = false }: Sequence): void {
    const codes = readCodes(bytes, anyCase);
    const bucket = this.#dealt++ % BUCKETS;
    // Of two pairs one byte apart, one begins at an even place, wherever the sequence begins.
    const rarest = codes.length === 2 ? -1 : findRarest(codes);
    for (const offset of [rarest, rarest + 1]) {
      const [first, second, third, fourth] = [0, 1, 2, 3].map((index) => codes[offset + index]);
      const candidate = { kind, codes, anyCase, offset };
      if (offset === -1) {
        (this.#openCandidates[second ?? 0] ??= []).push(candidate);
      } else {
        listPairs({ first, second, anyCase }).forEach((pair) =>
          (this.#candidates[pair] ??= []).push(candidate),
        );
      }
      const isOpen = third === undefined && fourth === undefined;
      mark(this.#pairs, { first, second, anyCase, bits: isOpen ? (1 << bucket) | ALWAYS : 1 << bucket });
      if (!isOpen) {
        mark(this.#following, { first: third, second: fourth, anyCase, bits: 1 << bucket });
      }
    }
  }

  /**
   * `text` has one character per byte. `noted` hears of each place at which something is; it can throw to end the
   * search. Without it the search ends soon after the first.
   */
  search(text: string, noted?: (kind: Kind) => void): Kind {
    const held = this.#hold(text);
    const end = text.length >> 1;
    let found = 0;
    for (let from = 0; from <= end; from += BLOCK) {
      const hits = this.#findHits(held, from, Math.min(end, from + BLOCK - 1));
      for (let index = 0; index < hits; index++) {
        const here = this.#lookInStep(held, this.#hits[index] ?? 0);
        found |= here;
        if (here !== 0) {
          if (noted === undefined) {
            return found;
          }
          noted(here);
        }
      }
    }
    return found;
  }

  /** The bytes of a text, and spaces behind it. */
  #hold(text: string): Held {
    const wanted = text.length + BEHIND;
    let held = this.#held;
    if (held.bytes.length < wanted) {
      held = hold(Math.max(wanted, 2 * held.bytes.length));
      if (wanted <= MAX_KEPT) {
        this.#held = held;
      }
    }
    held.bytes.write(text, "latin1");
    held.bytes.fill(SPACE, text.length, wanted);
    return held;
  }

  /**
   * The steps in which a pair and what follows it are of one bucket: how many; their places go to `#hits`. Nothing is
   * called in here and both tables are asked every time: this is where the time goes, and a processor guesses badly.
   */
  #findHits({ doubles }: Held, from: number, last: number): number {
    const pairs = this.#pairs;
    const following = this.#following;
    const places = this.#hits;
    let count = 0;
    let double = doubles[from >> 1] ?? 0;
    for (let place = from; place <= last; place += STEP) {
      const second = doubles[(place >> 1) + 1] ?? 0;
      const third = doubles[(place >> 1) + 2] ?? 0;
      const b = double >>> 16;
      const c = second & 0xffff;
      const d = second >>> 16;
      const hits =
        ((pairs[double & 0xffff] ?? 0) & (following[b] ?? 0)) |
        ((pairs[b] ?? 0) & (following[c] ?? 0)) |
        ((pairs[c] ?? 0) & (following[d] ?? 0)) |
        ((pairs[d] ?? 0) & (following[third & 0xffff] ?? 0));
      if (hits !== 0) {
        places[count++] = place;
      }
      double = third;
    }
    return count;
  }

  #lookInStep({ bytes, words }: Held, step: number): Kind {
    const pairs = this.#pairs;
    const following = this.#following;
    let found = 0;
    for (let place = step; place < step + STEP; place++) {
      const word = words[place] ?? 0;
      if (((pairs[word] ?? 0) & (following[words[place + 1] ?? 0] ?? 0)) !== 0) {
        found |= this.#look(bytes, place * 2, word);
      }
    }
    return found;
  }

  #look(bytes: Uint8Array, at: number, pair: number): Kind {
    const second = pair >> 8;
    let found = isControl(pair & 0xff) || isControl(second) ? this.#control : 0;
    if (opensEscape(bytes, at) || opensEscape(bytes, at + 1)) {
      found |= this.#escape;
    }
    found |= findStanding(this.#candidates[pair], bytes, at);
    found |= findStanding(this.#openCandidates[second], bytes, at);
    return found;
  }
}

function readCodes(bytes: string, anyCase: boolean): Uint8Array {
  const codes = Buffer.from(bytes, "latin1");
  return anyCase ? codes.map((code) => foldCase(code, true)) : codes;
}

function findStanding(candidates: readonly Candidate[] | undefined, bytes: Uint8Array, at: number): Kind {
  let found = 0;
  if (candidates !== undefined) {
    for (const candidate of candidates) {
      if (stands(candidate, bytes, at)) {
        found |= candidate.kind;
      }
    }
  }
  return found;
}

function stands({ codes, anyCase, offset }: Candidate, bytes: Uint8Array, at: number): boolean {
  const start = at - offset;
  for (let index = 0; index < codes.length; index++) {
    if (foldCase(bytes[start + index] ?? 0, anyCase) !== codes[index]) {
      return false;
    }
  }
  return true;
}

/** A carriage return alone takes a terminal back over what it wrote. */
function endsLine(bytes: Uint8Array, at: number): boolean {
  const [second, third, fourth] = [bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return second === CARRIAGE_RETURN && third === BACKSLASH && fourth === LINE_FEED;
}

/** An odd number of backslashes: the last of them is no escaped one. */
function opensEscape(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== BACKSLASH || PLAIN_ESCAPES.has(bytes[at + 1] ?? 0) || endsLine(bytes, at)) {
    return false;
  }
  let before = at - 1;
  while (bytes[before] === BACKSLASH) before--;
  return (at - before) % 2 === 1;
}

/** Where the two pairs begin that most texts have least of, with two more bytes behind them where there are any. */
function findRarest(codes: Uint8Array): number {
  const weigh = (at: number): number => {
    const pair = String.fromCharCode(codes[at] ?? 0, codes[at + 1] ?? 0);
    return COMMON.has(pair) ? 10 : /[a-z ]{2}/.test(pair) ? 3 : 1;
  };
  let best = 0;
  let least = Infinity;
  // None weighs less than two of one each.
  for (let at = 0; at <= Math.max(0, codes.length - 5) && least > 2; at++) {
    const weight = weigh(at) + weigh(at + 1);
    if (weight < least) {
      [best, least] = [at, weight];
    }
  }
  return best;
}
