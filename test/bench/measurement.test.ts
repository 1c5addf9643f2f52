import { describe, expect, it } from "vitest";
import {
  fitSlope,
  interleave,
  median,
  percentile,
  ratiosByRound,
  rotate,
  summarize,
} from "../../bench/measurement.ts";

describe("medians and spreads", () => {
  it("takes the middle of an odd number of values, whatever their order", () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it("takes the mean of the two middle values of an even number", () => {
    expect(median([4, 1, 10, 2])).toBe(3);
  });

  it("sorts by number, not by text", () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  it("has no median of nothing", () => {
    expect(() => median([])).toThrow(RangeError);
  });

  it("gives the spread as a part of the median and keeps the rounds in order", () => {
    expect(summarize([12, 8, 10])).toEqual({ median: 10, spread: 0.4, rounds: [12, 8, 10] });
  });

  it("claims no spread for a single round", () => {
    expect(summarize([7])).toEqual({ median: 7, spread: null, rounds: [7] });
  });
});

describe("slopes", () => {
  it("are those of the line through the values", () => {
    expect(fitSlope([5, 8, 11, 14])).toBe(3);
    expect(fitSlope([7, 7, 7])).toBe(0);
    expect(fitSlope([1, 3, 2, 4])).toBeCloseTo(0.8);
    expect(fitSlope([4, 2, 3, 1])).toBeCloseTo(-0.8);
  });
});

describe("percentiles", () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);

  it("are samples that occurred, by nearest rank", () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile(Float64Array.of(3), 0.99)).toBe(3);
  });

  it("do not exist without samples", () => {
    expect(() => percentile(new Float64Array(), 0.5)).toThrow(RangeError);
  });
});

describe("ratios", () => {
  it("compare within a round, so that a slow round does not count", () => {
    expect(ratiosByRound([50, 5, 50], [100, 10, 100])).toEqual([0.5, 0.5, 0.5]);
  });

  it("refuse rounds that do not pair up", () => {
    expect(() => ratiosByRound([1, 2], [1])).toThrow(RangeError);
  });
});

describe("taking turns", () => {
  it("rotates so that each is first once", () => {
    expect([0, 1, 2, 3].map((by) => rotate(["a", "b", "c"], by).join(""))).toEqual([
      "abc",
      "bca",
      "cab",
      "abc",
    ]);
    expect(rotate([], 3)).toEqual([]);
  });

  it("throws the warm-up away and gives every contender each round, one at a time", async () => {
    const order: string[] = [];
    let running = 0;
    const measured = await interleave({
      contenders: ["pipe", "lanyard"],
      rounds: 3,
      measure: async (contender, round) => {
        running += 1;
        expect(running).toBe(1);
        await Promise.resolve();
        running -= 1;
        order.push(`${round}${contender}`);
        return round;
      },
    });
    expect(measured).toEqual(
      new Map([
        ["pipe", [1, 2, 3]],
        ["lanyard", [1, 2, 3]],
      ]),
    );
    expect(order.join(" ")).toBe("0pipe 0lanyard 1lanyard 1pipe 2pipe 2lanyard 3lanyard 3pipe");
  });
});
