import { describe, expect, test } from "vitest";
import { packSegment } from "../../../audit/segment.ts";
import { verifySession } from "../../../audit/verification/verification.ts";
import {
  brokerKeys,
  robot,
  sourceOf,
  storeRecovered,
  storeSealed,
  storeUnsealed,
  tell,
  verify,
  workload,
} from "../stored-session.ts";

describe("a log that nobody touched", () => {
  test("is complete once it is sealed", async () => {
    const { objects } = await storeSealed();
    const verdict = await verify(objects);
    expect(tell(verdict)).toEqual([]);
    expect(verdict).toMatchObject({
      status: "complete",
      session: "s-1",
      robot,
      workload,
      recordCount: 20,
      totals: { calls: 9, allowed: 6, denied: 3, failed: 1 },
      checkpoints: 2,
      witnessedSeq: 19,
      keys: ["checkpoint-1"],
    });
    expect(verdict.records.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, seq) => seq));
    expect(verdict.head).toBe(verdict.manifest?.runner.at(-1)?.head);
  });

  test("is incomplete while it has no manifest, and verified as far as its segments go", async () => {
    const { objects } = await storeUnsealed();
    objects.delete("runner/000003.jsonl.zst");
    const verdict = await verify(objects);
    expect(verdict).toMatchObject({
      status: "incomplete",
      manifest: undefined,
      checkpoints: 1,
      recordCount: 14,
    });
    expect(tell(verdict)).toEqual(["manifest.json: manifest_missing"]);
    // The second segment's checkpoint would stand in the third.
    expect(verdict.witnessedSeq).toBe(6);
  });

  test("is incomplete when nothing was ever stored", async () => {
    const verdict = await verify(new Map());
    expect(verdict).toMatchObject({
      status: "incomplete",
      session: undefined,
      recordCount: 0,
      witnessedSeq: undefined,
    });
    expect(verdict.problems[0]?.message).toBe("nothing is stored");
  });

  test("is recovered when its tail was handed in later, and the tail is not witnessed", async () => {
    const { objects } = await storeRecovered();
    const verdict = await verify(objects);
    expect(verdict).toMatchObject({
      status: "recovered",
      recordCount: 10,
      recoveredCount: 2,
      witnessedSeq: 9,
    });
    expect(verdict.recovered.map(({ seq }) => seq)).toEqual([10, 11]);
    expect(tell(verdict)).toEqual(["recovered/manifest.json: recovered"]);
  });

  test("keeps no more records than it is told to, and counts them all", async () => {
    const { objects } = await storeSealed();
    const verdict = await verify(objects, { maxRecords: 4 });
    expect(verdict).toMatchObject({ status: "complete", recordCount: 20, totals: { calls: 9 } });
    expect(verdict.records).toHaveLength(4);
  });
});

describe("hostile objects", () => {
  test("a segment that unpacks to more than it may", async () => {
    const { objects } = await storeUnsealed();
    objects.set("runner/000003.jsonl.zst", (await packSegment(Buffer.alloc(33 * 1024 * 1024))).body);
    const verdict = await verify(objects);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)).toContain("runner/000003.jsonl.zst: segment_too_large");
  });

  test("a segment numbered far away does not keep the verifier busy", async () => {
    const { objects } = await storeUnsealed();
    objects.set("runner/999999999.jsonl.zst", objects.get("runner/000003.jsonl.zst") ?? Buffer.alloc(0));
    const verdict = await verify(objects);
    expect(tell(verdict)).toContain("runner/000004.jsonl.zst to runner/999999998.jsonl.zst: segment_missing");
  });

  test("more problems than anybody reads are counted", async () => {
    const { objects } = await storeSealed();
    for (let number = 1; number <= 150; number++) {
      objects.set(`junk-${number}`, Buffer.from("x"));
    }
    const { problems } = await verify(objects);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toMatchObject({
      code: "problems_left_out",
      message: "50 more problems are left out",
    });
  });

  test("more objects than a session can have are not looked at", async () => {
    const { objects } = await storeSealed();
    const names = Array.from({ length: 60_000 }, (_, index) => `zzz/${index}`);
    const source = { ...sourceOf(objects), list: async () => [...objects.keys(), ...names] };
    const verdict = await verifySession(source, brokerKeys);
    expect(verdict.status).toBe("broken");
    expect(tell(verdict)[0]).toBe("objects: too_many_objects");
  });

  test("what cannot be read is not called broken", async () => {
    const { objects } = await storeSealed();
    const source = { ...sourceOf(objects), read: async () => Promise.reject(new Error("the disk failed")) };
    await expect(verifySession(source, brokerKeys)).rejects.toThrow("the disk failed");
  });
});
