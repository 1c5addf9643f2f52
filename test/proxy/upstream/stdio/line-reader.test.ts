import fc from "../../../support/properties.ts";
import { expect, it } from "vitest";
import { LineReader } from "../../../../proxy/upstream/stdio/line-reader.ts";

function read(chunks: readonly Buffer[], maxBytes: number): { lines: string[]; tooLong: number } {
  const seen = { lines: [] as string[], tooLong: 0 };
  const reader = new LineReader(maxBytes, {
    line: (text) => seen.lines.push(text),
    tooLong: () => {
      seen.tooLong++;
    },
  });
  chunks.forEach((chunk) => reader.read(chunk));
  return seen;
}

it("reads the same lines however the bytes are cut", () => {
  const line = fc.stringMatching(/^[ -~]{0,12}$/);
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(200), { maxLength: 6 }), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
        bytes.length,
      ];
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      expect(read(chunks, 8)).toEqual({
        lines: lines.filter((text) => text !== "" && text.length <= 8),
        tooLong: lines.filter((text) => text.length > 8).length,
      });
    }),
  );
});

it("holds nothing of a line without an end beyond its bound", () => {
  const chunk = Buffer.alloc(1024 * 1024, 0x78);
  const before = process.memoryUsage().rss;
  const { lines, tooLong } = read([...Array<Buffer>(1024).fill(chunk), Buffer.from("\nnext\n")], 1024 * 1024);
  expect(lines).toEqual(["next"]);
  expect(tooLong).toBe(1);
  expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
});
