import { describe, expect, test } from "vitest";
import { packSegment } from "../../../audit/segment.ts";
import {
  linesOf,
  rechain,
  rehash,
  rewrite,
  storeSealed,
  storeUnsealed,
  tell,
  verify,
} from "../stored-session.ts";

describe("the log", () => {
  test("one byte changed in a record's content, hash or prev, packed again", async () => {
    for (const [from, to] of [
      ["add_issue_comment", "add_issue_c0mment"],
      [/"hash":"./, '"hash":"g'],
      [/"prev":"./, '"prev":"g'],
    ] as const) {
      const { objects } = await storeSealed();
      await rewrite(objects, "runner/000002.jsonl.zst", (lines) =>
        lines.map((line, index) => (index === 1 ? line.replace(from, to) : line)),
      );
      const verdict = await verify(objects);
      expect(verdict.status).toBe("broken");
      expect(tell(verdict)).toEqual(["runner/000002.jsonl.zst record 8: record_changed"]);
    }
  });

  test("a record that was changed and given the hash that fits", async () => {
    const { objects } = await storeSealed();
    await rewrite(objects, "runner/000002.jsonl.zst", (lines) =>
      lines.map((line, index) => (index === 1 ? rehash(line, { server: "gitlab" }) : line)),
    );
    expect(tell(await verify(objects))).toEqual(["runner/000002.jsonl.zst record 9: chain_broken"]);
  });

  test("a segment that was written anew from some record on", async () => {
    const { objects } = await storeSealed();
    await rewrite(objects, "runner/000002.jsonl.zst", (lines) => rechain(lines, 3, { server: "gitlab" }));
    const verdict = await verify(objects);
    expect(tell(verdict)).toEqual(["runner/000002.jsonl.zst: segment_changed"]);
    expect(verdict.records.some(({ seq }) => seq === 10)).toBe(false);
  });

  test("truncation after any record of any segment", async () => {
    const { objects } = await storeSealed();
    for (const [object, first] of [
      ["runner/000001.jsonl.zst", 0],
      ["runner/000002.jsonl.zst", 7],
      ["runner/000003.jsonl.zst", 14],
    ] as const) {
      const lines = await linesOf(objects, object);
      for (let kept = 1; kept < lines.length; kept++) {
        const truncated = new Map(objects);
        await rewrite(truncated, object, (all) => all.slice(0, kept));
        const verdict = await verify(truncated);
        expect(tell(verdict)).toEqual([`${object} record ${first + kept}: segment_changed`]);
        expect(verdict.status).toBe("broken");
      }
    }
  });

  test("truncation in the middle of a record", async () => {
    const { objects } = await storeUnsealed();
    const lines = (await linesOf(objects, "runner/000003.jsonl.zst")).join("\n");
    objects.set("runner/000003.jsonl.zst", (await packSegment(lines.slice(0, -40))).body);
    const verdict = await verify(objects);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toContain("runner/000003.jsonl.zst record 19: record_cut_off");
  });

  test("truncation after any record of a log that was never sealed is incomplete, and says what was witnessed", async () => {
    const { objects } = await storeUnsealed();
    const lines = await linesOf(objects, "runner/000003.jsonl.zst");
    for (let kept = 1; kept < lines.length; kept++) {
      const truncated = new Map(objects);
      await rewrite(truncated, "runner/000003.jsonl.zst", (all) => all.slice(0, kept));
      const verdict = await verify(truncated);
      expect(verdict.status).toBe("incomplete");
      expect(verdict.recordCount).toBe(14 + kept);
      expect(verdict.witnessedSeq).toBe(kept < lines.length - 1 ? 6 : 13);
    }
  });

  test("a missing segment, first, middle or last", async () => {
    for (const [number, records] of [
      [1, "0 to 6"],
      [2, "7 to 13"],
      [3, "14 to 19"],
    ] as const) {
      const { objects } = await storeSealed();
      objects.delete(`runner/00000${number}.jsonl.zst`);
      const verdict = await verify(objects);
      expect(verdict.status).toBe("broken");
      expect(tell(verdict)).toEqual([`runner/00000${number}.jsonl.zst: segment_missing`]);
      expect(verdict.problems[0]?.message).toContain(`records ${records}`);
    }
  });

  test("a missing segment of a log that was never sealed", async () => {
    const { objects } = await storeUnsealed();
    objects.delete("runner/000002.jsonl.zst");
    const verdict = await verify(objects);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toEqual([
      "runner/000002.jsonl.zst: segment_missing",
      "manifest.json: manifest_missing",
    ]);
  });

  test("a segment stored twice, under the next number or under a name of its own", async () => {
    for (const [name, code] of [
      ["runner/000004.jsonl.zst", "segment_unlisted"],
      ["runner/000003 (1).jsonl.zst", "object_unexpected"],
      ["runner/3.jsonl.zst", "object_unexpected"],
    ] as const) {
      const { objects } = await storeSealed();
      objects.set(name, objects.get("runner/000003.jsonl.zst") ?? Buffer.alloc(0));
      const verdict = await verify(objects);
      expect(verdict.status).toBe("broken");
      expect(tell(verdict)).toEqual([`${name}: ${code}`]);
    }
  });

  test("a segment stored twice in a log that was never sealed", async () => {
    const { objects } = await storeUnsealed();
    objects.set("runner/000004.jsonl.zst", objects.get("runner/000003.jsonl.zst") ?? Buffer.alloc(0));
    expect(tell(await verify(objects))).toContain("runner/000004.jsonl.zst record 20: seq_gap");
  });

  test("two segments swapped", async () => {
    const { objects } = await storeSealed();
    const [first, second] = ["runner/000001.jsonl.zst", "runner/000002.jsonl.zst"].map((name) =>
      objects.get(name),
    );
    objects.set("runner/000001.jsonl.zst", second ?? Buffer.alloc(0));
    objects.set("runner/000002.jsonl.zst", first ?? Buffer.alloc(0));
    const verdict = await verify(objects);
    expect(tell(verdict)).toEqual([
      "runner/000001.jsonl.zst: segment_swapped",
      "runner/000002.jsonl.zst: segment_swapped",
    ]);
    expect(verdict.problems[0]?.message).toContain("runner/000002.jsonl.zst");
  });

  test("a segment swapped with another run's", async () => {
    const [{ objects }, other] = [await storeSealed("s-1"), await storeSealed("s-2")];
    objects.set("runner/000002.jsonl.zst", other.objects.get("runner/000002.jsonl.zst") ?? Buffer.alloc(0));
    expect(tell(await verify(objects))).toEqual(["runner/000002.jsonl.zst record 7: chain_broken"]);
    objects.set("runner/000001.jsonl.zst", other.objects.get("runner/000001.jsonl.zst") ?? Buffer.alloc(0));
    const verdict = await verify(objects);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toContain("runner/000001.jsonl.zst record 0: genesis_mismatch");
  });

  test("a whole session put in the place of another", async () => {
    const { objects } = await storeSealed("s-2");
    const location =
      "/bucket/audit/v1/repository_id=456789/date=2026-11-22/robot=triager/run=123456/attempt=1/session=s-1";
    const verdict = await verify(objects, { location });
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toEqual(["path session: location_mismatch"]);
    expect((await verify(objects, { location: location.replace("s-1", "s-2") })).status).toBe("complete");
  });

  test("an object beside the log that nobody knows", async () => {
    for (const name of [
      "notes.txt",
      "runner/000000.jsonl.zst",
      "recovered/000001.jsonl.zst",
      "recovered/manifest.json",
      "relay/000001.jsonl.zst",
    ]) {
      const { objects } = await storeSealed();
      objects.set(name, Buffer.from("x"));
      const verdict = await verify(objects);
      expect(verdict.status).toBe("broken");
      expect(tell(verdict)).toEqual([`${name}: object_unexpected`]);
    }
  });
});
