/**
 * The first look at a text from a server: whether anything can be in it that has to be looked at. What it does not
 * find is not there: a text that is not suspicious goes on as it came.
 */
import { TOKEN_BEGINNINGS } from "../../audit/redaction/token-beginnings.ts";
import { toByteText } from "../messages/json-spans.ts";
import { ByteSearch, type Kind } from "./byte-search.ts";
import { INJECTION_MARKERS, type Marker } from "./injection-markers.ts";

/** A character that cannot be seen. */
export const HIDDEN: Kind = 1;
/** An escape: what it stands for shows when the text is decoded. */
export const ESCAPED: Kind = 2;
export const SECRET: Kind = 4;
/** And the following, of each marker in turn. */
const FIRST_HINT: Kind = 8;

/** Every character that is removed from texts (invisible-text.ts), by ranges; control characters aside. */
const UNSEEN: readonly (readonly [number, number])[] = [
  [0x80, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
];

/** Of these texts alone, in which a known secret can stand. */
export function buildFormSearch(forms: Iterable<string>): ByteSearch {
  const search = new ByteSearch({ escape: ESCAPED, control: 0 });
  for (const text of forms) {
    search.add({ kind: SECRET, bytes: toByteText(text) });
  }
  return search;
}

/** `forms`: every text in which a known secret can stand. */
export function buildSearch(forms: Iterable<string>): ByteSearch {
  const search = new ByteSearch({ escape: ESCAPED, control: HIDDEN });
  for (const bytes of listUnseen()) {
    search.add({ kind: HIDDEN, bytes });
  }
  for (const text of [...TOKEN_BEGINNINGS, ...forms]) {
    search.add({ kind: SECRET, bytes: toByteText(text) });
  }
  INJECTION_MARKERS.forEach(({ hints }, index) =>
    hints.forEach((bytes) => search.add({ kind: FIRST_HINT << index, bytes, anyCase: true })),
  );
  return search;
}

/** The first three bytes of those that have four: they are the same for many. */
function listUnseen(): Set<string> {
  const unseen = new Set<string>();
  for (const [first, last] of UNSEEN) {
    for (let code = first; code <= last; code += code < 0x10000 ? 1 : 64 - (code % 64)) {
      unseen.add(toByteText(String.fromCodePoint(code)).slice(0, 3));
    }
  }
  return unseen;
}

/** The markers of which there is a hint. */
export function listHinted(found: Kind): Marker[] {
  return INJECTION_MARKERS.filter((_, index) => (found & (FIRST_HINT << index)) !== 0);
}
