import { expect, test } from "vitest";
import { LastWords } from "../../../../proxy/upstream/stdio/last-words.ts";

const heard = (...chunks: (string | Buffer)[]): string => {
  const words = new LastWords();
  chunks.forEach((chunk) => words.write(Buffer.from(chunk)));
  return words.text;
};

test("a little is kept whole", () => {
  expect(heard("one\ntw", "o\nthree")).toBe("one\ntwo\nthree");
  expect(heard()).toBe("");
});

test("of much the end is kept, from the beginning of a line", () => {
  const lines = Array.from({ length: 10_000 }, (_, index) => `line ${index}\n`);
  for (const text of [heard(...lines), heard(lines.join(""))]) {
    expect(text.length).toBeLessThanOrEqual(32 * 1024);
    expect(text).toMatch(/^line \d+\n/);
    expect(text.endsWith("line 9999\n")).toBe(true);
  }
});

test("of a line without an end nothing is kept: it could begin in the middle of a secret", () => {
  expect(heard("x".repeat(40_000))).toBe("");
  expect(heard(...Array.from({ length: 100 }, () => "x".repeat(1_000)))).toBe("");
});
