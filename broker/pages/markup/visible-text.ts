/**
 * Text of strangers, made visible: what a reader could not see, or what would change how the text around
 * it reads (escape sequences, bidirectional overrides, zero-width and tag characters), is spelled out.
 * Whoever writes a tool's name or an argument can hide nothing from the reviewer in it.
 */

/** A stretch of a text; `hidden` ones are spelled out and were invisible before. */
export interface TextPart {
  readonly text: string;
  readonly hidden: boolean;
}

/**
 * Controls, format characters, surrogates without a partner, private and unassigned code points, line and
 * paragraph separators, every space but the common one, blank letters, and piles of combining marks.
 */
const unseen =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|[\p{Zs}--\u0020]|\p{M}{3,}/v;
/** Longer runs of one character are counted, so that a million of them cannot fill the page. */
const runs = new RegExp(`(${unseen.source})\\1*`, "gv");
const tagText = /[\u{e0020}-\u{e007e}]+/gu;

const names = new Map([
  [0x00, "NUL"],
  [0x07, "BEL"],
  [0x08, "BS"],
  [0x09, "TAB"],
  [0x0a, "LF"],
  [0x0d, "CR"],
  [0x1b, "ESC"],
  [0x7f, "DEL"],
  [0xa0, "NBSP"],
  [0x200b, "ZWSP"],
  [0x200d, "ZWJ"],
  [0x200e, "LRM"],
  [0x200f, "RLM"],
  [0x202a, "LRE"],
  [0x202b, "RLE"],
  [0x202c, "PDF"],
  [0x202d, "LRO"],
  [0x202e, "RLO"],
  [0x2066, "LRI"],
  [0x2067, "RLI"],
  [0x2068, "FSI"],
  [0x2069, "PDI"],
  [0xfeff, "BOM"],
]);

/** Splits a text into what can be read as it is and what had to be spelled out. */
export function splitVisible(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const { start, length, spelling } of findHidden(text)) {
    if (start > end) {
      parts.push({ text: text.slice(end, start), hidden: false });
    }
    parts.push({ text: spelling, hidden: true });
    end = start + length;
  }
  if (end < text.length) {
    parts.push({ text: text.slice(end), hidden: false });
  }
  return parts;
}

/** The same as one string, for places that hold no markup: `⟨RLO⟩` stands for a right-to-left override. */
export function revealText(text: string): string {
  return splitVisible(text)
    .map((part) => (part.hidden ? `⟨${part.text}⟩` : part.text))
    .join("");
}

interface Hidden {
  start: number;
  length: number;
  spelling: string;
}

function findHidden(text: string): Hidden[] {
  const tags = [...text.matchAll(tagText)].map((match) => ({
    start: match.index,
    length: match[0].length,
    spelling: `tags: ${readTags(match[0])}`,
  }));
  const rest = [...text.replace(tagText, (tags) => " ".repeat(tags.length)).matchAll(runs)].map((match) => ({
    start: match.index,
    length: match[0].length,
    spelling: spell(match[1] ?? "", match[0].length),
  }));
  return [...tags, ...rest].sort((a, b) => a.start - b.start);
}

/** Tag characters mirror ASCII and are shown by nothing: models read them as text all the same. */
function readTags(tags: string): string {
  return [...tags].map((tag) => String.fromCodePoint((tag.codePointAt(0) ?? 0) - 0xe0000)).join("");
}

function spell(hidden: string, length: number): string {
  const characters = [...hidden];
  const spelled = characters.slice(0, 3).map(nameCharacter).join(" ");
  const times = length / hidden.length;
  const more = characters.length > 3 ? ` and ${characters.length - 3} more` : "";
  return `${spelled}${more}${times > 1 ? ` ×${times}` : ""}`;
}

function nameCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return names.get(code) ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
