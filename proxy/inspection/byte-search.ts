/**
 * Looks for many short byte sequences at once, in one pass over pairs of bytes: a text without any of them, which is
 * nearly every text, costs little more than reading it. It tells of which kinds something is there and misses none;
 * where it is, is for a closer look.
 *
 * Sequences are dealt into buckets. By what stands at an even place, one table tells the buckets with a sequence that
 * has this pair, another those with a sequence that goes on with the next pair: where both name one, the sequences
 * that have the pair are compared.
 */

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
const ANY_FIRST = 1 << 16;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
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

export class ByteSearch {
  readonly #escape: Kind;
  readonly #control: Kind;
  /** By pair of bytes, the first in the lower half: one bit per bucket. */
  readonly #pairs = new Uint16Array(0x10000);
  readonly #following = new Uint16Array(0x10000).fill(ALWAYS | ESCAPES);
  /** By pair, or by its second byte where its first can be any. */
  readonly #candidates = new Map<number, Candidate[]>();
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
    const codes = Uint8Array.from(bytes, (byte) => foldCase(byte.charCodeAt(0), anyCase));
    const bucket = this.#dealt++ % BUCKETS;
    // Of two pairs one byte apart, one begins at an even place, wherever the sequence begins.
    const rarest = codes.length === 2 ? -1 : findRarest(codes);
    for (const offset of [rarest, rarest + 1]) {
      const [first, second, third, fourth] = [0, 1, 2, 3].map((index) => codes[offset + index]);
      for (const pair of offset === -1
        ? [ANY_FIRST | (second ?? 0)]
        : listPairs({ first, second, anyCase })) {
        this.#candidates.set(pair, [...(this.#candidates.get(pair) ?? []), { kind, codes, anyCase, offset }]);
      }
      const isOpen = third === undefined && fourth === undefined;
      mark(this.#pairs, { first, second, anyCase, bits: isOpen ? (1 << bucket) | ALWAYS : 1 << bucket });
      if (!isOpen) {
        mark(this.#following, { first: third, second: fourth, anyCase, bits: 1 << bucket });
      }
    }
  }

  /** `text` has one character per byte. With `isEnough`, ends at the first that is found. */
  search(text: string, isEnough: boolean): Kind {
    const length = text.length >> 1;
    const bytes = Buffer.allocUnsafe((length + 2) * 2).fill(SPACE, length * 2);
    bytes.write(text, "latin1");
    // Node's buffers begin at even places, and every machine that it runs on is little-endian.
    const words = new Uint16Array(bytes.buffer, bytes.byteOffset, length + 2);
    const pairs = this.#pairs;
    const following = this.#following;
    let found = 0;
    let word = words[0] ?? 0;
    for (let place = 1; place <= length + 1; place++) {
      const next = words[place] ?? 0;
      // Both tables every time: whether the first has the pair is a guess that a processor loses too often.
      if (((pairs[word] ?? 0) & (following[next] ?? 0)) !== 0) {
        found |= this.#look(bytes, place * 2 - 2, word);
        if (isEnough && found !== 0) {
          return found;
        }
      }
      word = next;
    }
    return found;
  }

  #look(bytes: Uint8Array, at: number, pair: number): Kind {
    const second = pair >> 8;
    let found = isControl(pair & 0xff) || isControl(second) ? this.#control : 0;
    if (opensEscape(bytes, at) || opensEscape(bytes, at + 1)) {
      found |= this.#escape;
    }
    for (const candidates of [this.#candidates.get(pair), this.#candidates.get(ANY_FIRST | second)]) {
      for (const candidate of candidates ?? []) {
        if ((found & candidate.kind) === 0 && stands(candidate, bytes, at)) {
          found |= candidate.kind;
        }
      }
    }
    return found;
  }
}

interface Marking {
  /** Any byte where it is absent. */
  readonly first?: number | undefined;
  readonly second?: number | undefined;
  readonly anyCase?: boolean;
  readonly bits: number;
}

function mark(table: Uint16Array, { bits, ...pairs }: Marking): void {
  for (const pair of listPairs(pairs)) {
    table[pair] = (table[pair] ?? 0) | bits;
  }
}

function listPairs({ first, second, anyCase = false }: Omit<Marking, "bits">): number[] {
  const highs = listBytes(second, anyCase);
  return listBytes(first, anyCase).flatMap((low) => highs.map((high) => low | (high << 8)));
}

const EVERY_BYTE = Array.from({ length: 0x100 }, (_, byte) => byte);

function listBytes(byte: number | undefined, anyCase: boolean): readonly number[] {
  if (byte === undefined) {
    return EVERY_BYTE;
  }
  return anyCase && isLetter(byte) ? [byte, byte & ~0x20] : [byte];
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

function isControl(byte: number): boolean {
  return byte === 0x7f || (byte < SPACE && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}

function foldCase(byte: number, anyCase: boolean): number {
  return anyCase && isLetter(byte) ? byte | 0x20 : byte;
}

/** Where the two pairs begin that most texts have least of, with two more bytes behind them where there are any. */
function findRarest(codes: Uint8Array): number {
  const weigh = (at: number): number => {
    const pair = String.fromCharCode(codes[at] ?? 0, codes[at + 1] ?? 0);
    return COMMON.has(pair) ? 10 : /[a-z ]{2}/.test(pair) ? 3 : 1;
  };
  let best = 0;
  let least = Infinity;
  for (let at = 0; at <= Math.max(0, codes.length - 5); at++) {
    const weight = weigh(at) + weigh(at + 1);
    if (weight < least) {
      [best, least] = [at, weight];
    }
  }
  return best;
}
