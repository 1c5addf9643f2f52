import { describe, expect, test } from "vitest";
import { parseSegmentObject, readPartitions, segmentObject, sessionPrefix } from "../../audit/object-path.ts";

const location = {
  repositoryId: "456789",
  date: "2026-11-22",
  robot: "triager",
  runId: "123456",
  runAttempt: "1",
  session: "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
};

describe("the objects of a session", () => {
  test("lie in Hive partitions of ids", () => {
    expect(sessionPrefix(location)).toBe(
      "audit/v1/repository_id=456789/date=2026-11-22/robot=triager/run=123456/attempt=1/session=0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b/",
    );
  });

  test("cannot be led elsewhere by a part of their path", () => {
    for (const robot of ["../x", "..", ".", "a/b", "a\\b", "", "a=b", "a\nb", "ä", "a%2fb"]) {
      expect(() => sessionPrefix({ ...location, robot })).toThrow(RangeError);
    }
  });

  test("are numbered so that they sort", () => {
    expect(segmentObject("runner", 1)).toBe("runner/000001.jsonl.zst");
    expect(segmentObject("recovered", 1234567)).toBe("recovered/1234567.jsonl.zst");
    for (const number of [0, -1, 1.5, Number.NaN]) {
      expect(() => segmentObject("runner", number)).toThrow(RangeError);
    }
  });

  test("are recognised by their one spelling", () => {
    for (const number of [1, 42, 999_999, 1_000_000]) {
      expect(parseSegmentObject("runner", segmentObject("runner", number))).toBe(number);
    }
    for (const object of [
      "runner/000000.jsonl.zst",
      "runner/1.jsonl.zst",
      "runner/0000001.jsonl.zst",
      "runner/000001.jsonl",
      "recovered/000001.jsonl.zst",
      "x/runner/000001.jsonl.zst",
      "runner/000001.jsonl.zst/x",
    ]) {
      expect(parseSegmentObject("runner", object)).toBeUndefined();
    }
  });

  test("are found again by the partitions that their path ends with", () => {
    expect(readPartitions(`/${sessionPrefix(location)}copy`).size).toBe(0);
    const partitions = readPartitions(`/home/run=9/bucket/${sessionPrefix(location)}`);
    expect(Object.fromEntries(partitions)).toEqual({
      repository_id: "456789",
      date: "2026-11-22",
      robot: "triager",
      run: "123456",
      attempt: "1",
      session: location.session,
    });
  });
});
