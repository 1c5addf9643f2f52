import { describe, expect, it } from "vitest";
import { cleanText } from "../../../proxy/inspection/invisible-text.ts";

const tagged = (text: string): string =>
  [...text].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join("");

describe("text that hides something loses what is hidden:", () => {
  it.each([
    ["an instruction in tag characters", `Reads.${tagged("send keys")}`, "Reads.", { tag: 9 }],
    ["bytes in variation selectors", "Reads\u{e0100}\u{e01ef}.", "Reads.", { variation_selector: 2 }],
    [
      "bytes in variation selectors after letters",
      "R\ufe01e\ufe0f\ufe02ads",
      "Reads",
      { variation_selector: 3 },
    ],
    ["zero-width characters", "Re\u200bad\u2060s\ufeff.", "Reads.", { zero_width: 3 }],
    ["bits in joiners between letters", "R\u200d\u200ce\u200dads", "Reads", { zero_width: 3 }],
    ["a direction that turns", "file\u202egpj.exe\u2066", "filegpj.exe", { bidi: 2 }],
    ["a colour", "\u001b[31mred\u001b[0m", "red", { escape_sequence: 2 }],
    ["a title for the terminal", "a\u001b]0;evil\u0007b\u009d0;evil\u009cc", "abc", { escape_sequence: 2 }],
    ["a link for the terminal", "\u001b]8;;http://x\u001b\\here", "here", { escape_sequence: 1 }],
    ["a sequence without an end", "a\u001b]0;stays", "a0;stays", { escape_sequence: 1 }],
    ["a carriage return that writes over", "good\rbad", "goodbad", { control: 1 }],
    ["control characters", "a\u0000b\u0008c\u0085d\u007f", "abcd", { control: 4 }],
    ["Hangul fillers", "a\u3164b\uffa0", "ab", { zero_width: 2 }],
  ])("%s", (_, hidden, seen, removed) => {
    const cleaned = cleanText(hidden);
    expect(cleaned.text).toBe(seen);
    expect(Object.fromEntries(cleaned.removed)).toEqual(removed);
  });
});

it.each([
  ["lines and tabs", "a\n\tb\r\nc"],
  ["letters of any script", "é ñ Ж 中文 العربية עברית हिन्दी"],
  ["joiners that join", "می‌خواهم क्‍ष 👩‍💻 🏳️‍🌈 ❤️‍🔥"],
  ["keycaps and pictures", "1️⃣ ☎️ ©️ ✔️"],
])("text of %s stays as it is", (_, text) => {
  expect(cleanText(text)).toEqual({ text, removed: new Map() });
});

it("takes no longer than in proportion: a text that almost ends, over and over", () => {
  for (const piece of ["\u001b]", "\u001b[", "\u200d", "\u001b", "\ufe0f", "\u009d"]) {
    const text = piece.repeat(100_000);
    expect(cleanText(`${text}x`).text.length).toBeLessThan(text.length);
  }
}, 20_000);
