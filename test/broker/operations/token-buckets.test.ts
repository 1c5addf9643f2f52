/** The bucket alone: how many, how soon again, and that it forgets. */
import fc from "../../support/properties.ts";
import { expect, test } from "vitest";
import { networkOf } from "../../../broker/operations/address-limit.ts";
import { createTokenBuckets } from "../../../broker/operations/token-buckets.ts";

const at = (perMinute: number, maxNames = 100) => {
  const clock = { now: 1_000_000 };
  return { clock, buckets: createTokenBuckets({ perMinute, maxNames, now: () => clock.now }) };
};
const takeMany = (buckets: { take(name: string): boolean }, times: number, name = "a"): number =>
  Array.from({ length: times }, () => buckets.take(name)).filter(Boolean).length;

test("so many at once, then one more each time its share of the minute has passed", () => {
  const { clock, buckets } = at(60);
  expect(takeMany(buckets, 100)).toBe(60);
  expect(buckets.has("a")).toBe(false);
  clock.now += 999;
  expect(buckets.take("a")).toBe(false);
  clock.now += 1;
  expect(takeMany(buckets, 5)).toBe(1);
  clock.now += 3_600_000;
  expect(takeMany(buckets, 100)).toBe(60);
});

test("each name has its own", () => {
  const { buckets } = at(3);
  expect([takeMany(buckets, 9, "a"), takeMany(buckets, 9, "b")]).toEqual([3, 3]);
});

test("a clock that goes back gives nothing away", () => {
  const { clock, buckets } = at(3);
  takeMany(buckets, 3);
  clock.now -= 60_000;
  expect(buckets.take("a")).toBe(false);
});

test("with too many names the least recently used is forgotten, and no other", () => {
  const { buckets } = at(1, 3);
  for (const name of ["a", "b", "c"]) buckets.take(name);
  buckets.take("a");
  buckets.take("d");
  expect(["a", "c", "d"].map((name) => buckets.has(name))).toEqual([false, false, false]);
  expect(buckets.has("b")).toBe(true);
});

test("never more than a minute's worth and what time has given, whatever the order of calls", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 }),
      (perMinute, pauses) => {
        const { clock, buckets } = at(perMinute);
        let taken = 0;
        for (const pause of pauses) {
          clock.now += pause;
          if (buckets.take("a")) taken += 1;
        }
        const elapsed = pauses.reduce((sum, pause) => sum + pause, 0);
        expect(taken).toBeLessThanOrEqual(perMinute + (elapsed * perMinute) / 60_000 + 1e-6);
      },
    ),
  );
});

test("without a limit nothing is kept", () => {
  const { buckets } = at(Number.POSITIVE_INFINITY);
  expect(takeMany(buckets, 10_000)).toBe(10_000);
  expect(buckets.has("a")).toBe(true);
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002:ffff::1", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
])("%s counts as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
