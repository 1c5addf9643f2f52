import reference from "canonicalize";
import fc from "../support/properties.ts";
import { describe, expect, test } from "vitest";
import {
  CanonicalError,
  canonicalize,
  canonicalizeWithout,
  fillGap,
  MAX_DEPTH,
} from "../../audit/canonical.ts";

const anyJson = fc.jsonValue({ maxDepth: 6, stringUnit: "binary" });

function doubleOf(bits: string): number {
  return Buffer.from(bits, "hex").readDoubleBE();
}

describe("RFC 8785", () => {
  test("section 3.2.2: the sample", () => {
    const sample = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalize(JSON.parse(sample))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test("section 3.2.3: members are sorted by UTF-16 code units", () => {
    const names = ["€", "\r", "\ufb33", "1", "😀", "\u0080", "ö"];
    const sorted = ["\r", "1", "\u0080", "ö", "€", "😀", "\ufb33"];
    const written = canonicalize(Object.fromEntries(names.map((name) => [name, 0])));
    expect(written).toBe(`{${sorted.map((name) => `${JSON.stringify(name)}:0`).join(",")}}`);
  });

  test("appendix B: numbers", () => {
    for (const [bits, text] of [
      ["0000000000000000", "0"],
      ["8000000000000000", "0"],
      ["0000000000000001", "5e-324"],
      ["8000000000000001", "-5e-324"],
      ["7fefffffffffffff", "1.7976931348623157e+308"],
      ["ffefffffffffffff", "-1.7976931348623157e+308"],
      ["4340000000000000", "9007199254740992"],
      ["c340000000000000", "-9007199254740992"],
      ["4430000000000000", "295147905179352830000"],
      ["44b52d02c7e14af5", "9.999999999999997e+22"],
      ["44b52d02c7e14af6", "1e+23"],
      ["44b52d02c7e14af7", "1.0000000000000001e+23"],
      ["444b1ae4d6e2ef4e", "999999999999999700000"],
      ["444b1ae4d6e2ef4f", "999999999999999900000"],
      ["444b1ae4d6e2ef50", "1e+21"],
      ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
      ["3eb0c6f7a0b5ed8d", "0.000001"],
      ["41b3de4355555553", "333333333.3333332"],
      ["41b3de4355555554", "333333333.33333325"],
      ["41b3de4355555555", "333333333.3333333"],
      ["41b3de4355555556", "333333333.3333334"],
      ["41b3de4355555557", "333333333.33333343"],
      ["becbf647612f3696", "-0.0000033333333333333333"],
      ["43143ff3c1cb0959", "1424953923781206.2"],
    ] as const) {
      expect(canonicalize(doubleOf(bits))).toBe(text);
    }
    for (const bits of ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"]) {
      expect(() => canonicalize(doubleOf(bits))).toThrow(CanonicalError);
    }
  });
});

describe("any JSON", () => {
  test("is written as another implementation writes it", () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        let expected: string | undefined;
        try {
          expected = reference(value);
        } catch {
          expect(() => canonicalize(value)).toThrow(CanonicalError);
          return;
        }
        expect(canonicalize(value)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test("with many members is sorted as another implementation sorts it", () => {
    const names = fc.uniqueArray(fc.string({ unit: "grapheme", maxLength: 3 }), {
      minLength: 15,
      maxLength: 60,
    });
    fc.assert(
      fc.property(names, (all) => {
        const value = Object.fromEntries(all.map((name, index) => [name, index]));
        expect(canonicalize(value)).toBe(reference(value));
      }),
    );
  });

  test("means the same when it is read again, and is written the same", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "grapheme" }), (value) => {
        const text = canonicalize(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalize(JSON.parse(text))).toBe(text);
      }),
    );
  });

  test("has a gap where a member was, which that member fills", () => {
    const object = fc.dictionary(
      fc.string({ unit: "grapheme", maxLength: 4 }),
      fc.jsonValue({ stringUnit: "grapheme" }),
    );
    fc.assert(
      fc.property(object, fc.constantFrom("hash", "", "~", "a"), (value, name) => {
        const { [name]: _left, ...rest } = value;
        const gap = canonicalizeWithout({ ...value, [name]: 1 }, name);
        expect(gap.text).toBe(canonicalize(rest));
        expect(fillGap(gap, `${JSON.stringify(name)}:1`)).toBe(canonicalize({ ...rest, [name]: 1 }));
      }),
    );
  });
});

describe("what JSON cannot say", () => {
  test("is refused", () => {
    for (const value of [
      undefined,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      12n,
      Symbol("s"),
      () => 1,
      new Date(0),
      new Map(),
      Buffer.from("x"),
      [undefined],
      { deep: [{ date: new Date(0) }] },
      "\ud800",
      "\udc00\ud800",
      { "\ud800": 1 },
    ]) {
      expect(() => canonicalize(value)).toThrow(CanonicalError);
    }
  });

  test("members that are undefined are left out", () => {
    expect(canonicalize({ b: undefined, a: { c: undefined } })).toBe('{"a":{}}');
  });

  test("a member called __proto__ is a member", () => {
    expect(canonicalize(JSON.parse('{"b":1,"__proto__":{"a":2}}'))).toBe('{"__proto__":{"a":2},"b":1}');
  });

  test("an object that contains itself, and one that is nested too deeply, is refused", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => canonicalize(cycle)).toThrow(CanonicalError);
    const nest = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
    expect(canonicalize(nest(MAX_DEPTH))).toHaveLength(2 * MAX_DEPTH);
    expect(() => canonicalize(nest(MAX_DEPTH + 1))).toThrow(CanonicalError);
    expect(() => canonicalize(nest(100_000))).toThrow(CanonicalError);
  });
});
