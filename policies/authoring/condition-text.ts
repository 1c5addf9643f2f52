/**
 * Text of strangers as a literal of a condition: it means the text and nothing else, and everything in it can be seen.
 */

/** What takes no room, moves what is around it, or is no character of a document. */
const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

export function renderTextLiteral(text: string): string {
  return JSON.stringify(text).replace(unseen, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}
