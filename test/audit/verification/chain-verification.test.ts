import { describe, expect, test } from "vitest";
import { packSegment } from "../../../audit/segment.ts";
import { linesOf, rechain, rewrite, storeUnsealed, tell, verify } from "../stored-session.ts";

describe("lines", () => {
  test("that are not the one canonical text of their record", async () => {
    for (const edit of [
      (line: string) => line.replace('"agent":', '"agent": '),
      (line: string) => line.replace('"issue_number":7', '"issue_number":7.0'),
      (line: string) => line.replace("Thänks", "Th\\u00e4nks"),
      (line: string) => line.replace('{"agent":"agent",', "{").replace(/}$/, ',"agent":"agent"}'),
      (line: string) => line.replace('"agent":"agent"', '"agent":"agent","agent":"agent"'),
      (line: string) => `${line} `,
      (line: string) => `\ufeff${line}`,
    ]) {
      const { objects } = await storeUnsealed();
      await rewrite(objects, "runner/000003.jsonl.zst", (lines) =>
        lines.map((line, index) => (index === 1 ? edit(line) : line)),
      );
      const verdict = await verify(objects);
      expect(verdict.status).toBe("broken");
      expect(tell(verdict)[0]).toMatch(
        /^runner\/000003\.jsonl\.zst record 15: record_(?:not_canonical|malformed)$/,
      );
    }
  });

  test("that are no record at all", async () => {
    for (const line of [
      "",
      "null",
      "[]",
      "{}",
      "{",
      '{"hash":5}',
      '{"a":"\\ud800","hash":"x"}',
      `{"a":${"[".repeat(9000)}${"]".repeat(9000)},"hash":"x"}`,
    ]) {
      const { objects } = await storeUnsealed();
      await rewrite(objects, "runner/000003.jsonl.zst", (lines) =>
        lines.map((old, index) => (index === 1 ? line : old)),
      );
      const verdict = await verify(objects);
      expect(verdict.status).toBe("broken");
      expect(tell(verdict)[0]).toBe("runner/000003.jsonl.zst record 15: record_malformed");
    }
  });

  test("in bytes that are not UTF-8", async () => {
    const { objects } = await storeUnsealed();
    const lines = await linesOf(objects, "runner/000003.jsonl.zst");
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    bytes[bytes.indexOf("Thänks") + 3] = 0xff;
    objects.set("runner/000003.jsonl.zst", (await packSegment(bytes)).body);
    expect(tell(await verify(objects))[0]).toMatch(
      /^runner\/000003\.jsonl\.zst record \d+: record_malformed$/,
    );
  });

  test("of a kind or with a member that nobody knows, though their hash fits", async () => {
    for (const change of [{ kind: "note" }, { color: "red" }, { v: 2 }, { decision: "maybe" }]) {
      const { objects } = await storeUnsealed();
      await rewrite(objects, "runner/000001.jsonl.zst", (lines) => rechain(lines, 2, change));
      expect(tell(await verify(objects))[0]).toBe("runner/000001.jsonl.zst record 2: record_malformed");
    }
  });

  test("that are left out, swapped or repeated", async () => {
    for (const [edit, found] of [
      [(lines: string[]) => lines.toSpliced(2, 1), "record 16: seq_gap"],
      [
        (lines: string[]) => [...lines.slice(0, 1), lines[2] ?? "", lines[1] ?? "", ...lines.slice(3)],
        "record 15: seq_gap",
      ],
      [(lines: string[]) => lines.toSpliced(2, 0, lines[1] ?? ""), "record 16: seq_gap"],
    ] as const) {
      const { objects } = await storeUnsealed();
      await rewrite(objects, "runner/000003.jsonl.zst", edit);
      expect(tell(await verify(objects))[0]).toBe(`runner/000003.jsonl.zst ${found}`);
    }
  });

  test("whose time runs backwards", async () => {
    const { objects } = await storeUnsealed();
    await rewrite(objects, "runner/000001.jsonl.zst", (lines) =>
      rechain(lines, 3, { time: "2020-01-01T00:00:00.000Z" }),
    );
    expect(tell(await verify(objects))[0]).toBe("runner/000001.jsonl.zst record 3: time_backwards");
  });
});

test("a segment whose time is before that of the segment before it", async () => {
  const { objects } = await storeUnsealed();
  await rewrite(objects, "runner/000003.jsonl.zst", (lines) =>
    rechain(lines, 0, { time: "2020-01-01T00:00:00.000Z" }),
  );
  expect(tell(await verify(objects))[0]).toBe("runner/000003.jsonl.zst record 14: time_backwards");
});
