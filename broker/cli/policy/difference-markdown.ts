/**
 * What a change gains and loses, as a comment on a pull request.
 * The documents are written by whoever opened it: nothing in them becomes markup, a link, a mention or another row.
 */
import type { Change } from "../../../policies/authoring/change.ts";
import type { PolicyDifference } from "../../../policies/authoring/difference.ts";
import { describeHolders, describeWhat, summarize } from "./difference-text.ts";

/** By it a workflow finds the comment that it wrote before. */
const marker = "<!-- lanyard policy diff -->";
/** GitHub takes 65,536 characters. */
const maxLength = 60_000;
const longestCell = 400;
const marks = { gained: "🔺 gained", lost: "🔻 lost", changed: "changed" } as const;

export function renderMarkdown(difference: PolicyDifference): string {
  const head = `${marker}\n**Policy: ${summarize(difference)}**\n`;
  if (difference.changes.length === 0) {
    return head;
  }
  const table = "\n| | what | who | before | after |\n|---|---|---|---|---|\n";
  let text = `${head}${table}`;
  for (const [index, change] of difference.changes.entries()) {
    const row = renderRow(change);
    if (text.length + row.length > maxLength) {
      const left = difference.changes.length - index;
      return `${text}\n…and ${left} more: \`lanyard policy diff\` shows all of them.\n`;
    }
    text += row;
  }
  return text;
}

function renderRow(change: Change): string {
  const who = describeHolders(change).map(quote).join("<br>");
  const cells = [
    marks[change.effect],
    quote(describeWhat(change)),
    who,
    change.before === undefined ? "–" : quote(change.before),
    change.after === undefined ? "–" : quote(change.after),
  ];
  return `| ${cells.join(" | ")} |\n`;
}

/** Everything that Markdown, HTML or GitHub could read as more than a character is written as its number. */
function quote(text: string): string {
  const [...characters] = text.replaceAll(/\s+/g, " ");
  const shown = characters.length > longestCell ? [...characters.slice(0, longestCell), "…"] : characters;
  const encoded = shown.map((character) => {
    if (/[A-Za-z0-9 ,;/()=-]/.test(character)) {
      return character;
    }
    return /[\p{C}\p{Zl}\p{Zp}]/u.test(character) ? "·" : `&#${character.codePointAt(0)};`;
  });
  return `<code>${encoded.join("")}</code>`;
}
