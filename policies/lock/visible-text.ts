/**
 * Text of strangers, written so that a reviewer sees every character of it, and read back as it was.
 * What has no shape, moves the cursor or turns the order around stands as an escape (`\u202e`).
 */

/**
 * Control, format and filler characters, variation selectors and tags: what can hide between letters. By their
 * properties, as in every other document: what one of the two did not know, the other would refuse to read.
 */
const INVISIBLE_CLASS = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800`;
const invisible = new RegExp(`[${INVISIBLE_CLASS}]`, "gu");
/** What a document may hold raw: its own line ends. */
const hidden = new RegExp(`(?![\\n\\r])[${INVISIBLE_CLASS}]`, "u");

/** The place of the first character in a whole file that a reviewer cannot see. */
export function findHidden(text: string): { readonly index: number; readonly code: string } | undefined {
  const match = hidden.exec(text);
  if (match === null) {
    return undefined;
  }
  const code = (match[0].codePointAt(0) ?? 0).toString(16).padStart(4, "0").toUpperCase();
  return { index: match.index, code };
}

export function escapeInvisible(text: string): string {
  return text.replace(invisible, (character) =>
    // In UTF-16 code units: JSON knows no other escape, and YAML's parser reads pairs of them as one character.
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}

/** JSON over several lines. The escapes stand inside of its strings: outside of them it has only spaces and line ends. */
export function renderJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[^\n]+/g, escapeInvisible);
}

/** A name as a key of YAML: as it is where it cannot be taken for anything else. */
export function renderKey(name: string): string {
  const isPlain = /^[a-z][a-z0-9_-]*$/i.test(name) && !/^(?:true|false|null)$/i.test(name);
  return isPlain ? name : `"${escapeQuoted(name)}"`;
}

/** A text as YAML, to follow a key: as a block where that shows everything, in quotes with escapes where it does not. */
export function renderText(text: string, margin: string): string {
  const lines = text.split("\n");
  const isPlain =
    /^\S/.test(text) && !text.endsWith("\n") && !lines.some((line) => /\s$/.test(line) || isHiding(line));
  if (isPlain) {
    return ["|-", ...lines.map((line) => (line === "" ? "" : margin + line))].join("\n");
  }
  const quoted = lines.map((line, index) => {
    const written = escapeQuoted(line);
    // A space at the beginning of a line would be taken for its margin, one at the end for nothing.
    const kept = written.replace(/^ (?!$)/, index === 0 ? " " : "\\ ").replace(/ $/, "\\x20");
    return index === lines.length - 1 ? kept : `${kept}\\n`;
  });
  return `"${quoted.join(`\\\n${margin}`)}"`;
}

function escapeQuoted(text: string): string {
  return escapeInvisible(text.replace(/["\\]/g, "\\$&"));
}

function isHiding(line: string): boolean {
  return hidden.test(line) || line.includes("\r") || line.includes("\t");
}
