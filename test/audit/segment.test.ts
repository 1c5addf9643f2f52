import { createHash } from "node:crypto";
import { constants, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { packSegment, SegmentRefused, unpackReadable, unpackSegment } from "../../audit/segment.ts";

const text = Array.from(
  { length: 4000 },
  (_, seq) => `{"hash":"${digest(String(seq))}","seq":${seq}}\n`,
).join("");

function digest(value: string): string {
  return createHash("sha256").update(value).digest("hex");
}

describe("a segment", () => {
  test("unpacks to what was packed, and is what any zstd reads", async () => {
    const { body, sha256, md5 } = await packSegment(text);
    expect((await unpackSegment(body, text.length)).toString()).toBe(text);
    expect(zstdDecompressSync(body).toString()).toBe(text);
    expect(sha256).toBe(createHash("sha256").update(body).digest("hex"));
    expect(md5).toBe(createHash("md5").update(body).digest("base64"));
    expect((await packSegment(Buffer.from(text))).body).toEqual(body);
  });

  test("that holds more than it may is refused before it is unpacked in full", async () => {
    const { body } = await packSegment(Buffer.alloc(256 * 1024 * 1024));
    const before = process.memoryUsage().rss;
    await expect(unpackSegment(body, 1024 * 1024)).rejects.toMatchObject({ code: "segment_too_large" });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    await expect(unpackSegment((await packSegment(text)).body, text.length - 1)).rejects.toThrow(
      SegmentRefused,
    );
  });

  test("truncated anywhere, or followed by anything, is refused", async () => {
    const { body } = await packSegment("one\ntwo\n");
    for (let length = 0; length < body.length; length++) {
      await expect(unpackSegment(body.subarray(0, length), 1000)).rejects.toMatchObject({
        code: "segment_unreadable",
      });
    }
    for (const more of [Buffer.from("x"), Buffer.alloc(4), body]) {
      await expect(unpackSegment(Buffer.concat([body, more]), 1000)).rejects.toMatchObject({
        code: "segment_unreadable",
      });
    }
  });

  test("with any bit changed is refused", async () => {
    const { body } = await packSegment("one\ntwo\nthree\n");
    for (let bit = 0; bit < body.length * 8; bit++) {
      const changed = Buffer.from(body);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(unpackSegment(changed, 1000)).rejects.toThrow(SegmentRefused);
    }
  });

  test("in another format, or without a checksum, is refused", async () => {
    const bare = zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 0 } });
    for (const body of [bare, gzipSync(text), Buffer.from(text), Buffer.alloc(0)]) {
      await expect(unpackSegment(body, text.length)).rejects.toMatchObject({ code: "segment_unreadable" });
    }
  });

  test("that was damaged gives what comes before the damage", async () => {
    const { body } = await packSegment(text);
    const changed = Buffer.from(body);
    changed[body.length - 1] = (changed[body.length - 1] ?? 0) ^ 1;
    const readable = (await unpackReadable(changed, text.length)).toString();
    expect(readable.length).toBeGreaterThan(text.length - 2048);
    expect(text.startsWith(readable)).toBe(true);
  });
});
