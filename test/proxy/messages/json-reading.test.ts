import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { readJson, readJsonBytes } from "../../../proxy/messages/json-reading.ts";

const rules = { maxDepth: 32, numbers: "exact" } as const;
const faultOf = (text: string): string | undefined => {
  const reading = readJson(text, rules);
  return reading.ok ? undefined : reading.fault;
};

describe("readJson", () => {
  it("reads what the engine's own reader reads", () => {
    const spaced = fc.constantFrom(undefined, 1, "\t", " \n ");
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), spaced, (value, space) => {
        const text = JSON.stringify(value, null, space);
        const reading = readJson(text, { ...rules, numbers: "any" });
        if (text.includes("__proto__")) {
          return;
        }
        expect(reading).toEqual({ ok: true, value: JSON.parse(text) });
      }),
      { numRuns: 300 },
    );
  });

  it("takes no text that the engine's own reader refuses", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"',
      "\\",
      "1",
      "-",
      ".",
      "e5",
      "true",
      "nul",
      " ",
      "\u0000",
      "\u00a0",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        if (readJson(text, rules).ok) {
          expect(() => JSON.parse(text)).not.toThrow();
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("unescapes strings and keeps characters beyond the basic plane", () => {
    expect(readJson('"\\u0041\\n\\\\\\"\\ud83d\\ude00😀"', rules)).toEqual({ ok: true, value: 'A\n\\"😀😀' });
  });

  it.each([
    ['{"a":1,"a":2}', "duplicate_member"],
    ['{"a":{"b":[{"c":1,"\\u0063":2}]}}', "duplicate_member"],
    ['{"constructor":1,"constructor":2}', "duplicate_member"],
    ['{"x":{"__proto__":{"admin":true}}}', "forbidden_member"],
    ['{"\\u005f_proto__":1}', "forbidden_member"],
    ["9007199254740993", "changing_number"],
    ["[1e400]", "changing_number"],
    ["-0", "changing_number"],
    ['"\\ud800"', "lone_surrogate"],
    ['{"\\udc00":1}', "lone_surrogate"],
    ["[".repeat(33) + "]".repeat(33), "too_deep"],
    ['{"a":1} {"a":2}', "not_json"],
    ["\ufeff{}", "not_json"],
    ["01", "not_json"],
    ["+1", "not_json"],
    ["[1,]", "not_json"],
    ["{,}", "not_json"],
    ["{'a':1}", "not_json"],
    ["NaN", "not_json"],
    ["truex", "not_json"],
    ['"\t"', "not_json"],
    ['"\\x41"', "not_json"],
    ["/* */ 1", "not_json"],
    ["", "not_json"],
  ])("refuses %s as %s", (text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  it("does not take a name of every object for one that stands twice", () => {
    expect(faultOf('{"toString":1,"constructor":2,"hasOwnProperty":3}')).toBeUndefined();
  });

  it("refuses a document nested 10,000 deep without running out of stack", () => {
    expect(faultOf("[".repeat(10_000))).toBe("too_deep");
    expect(faultOf('{"a":'.repeat(10_000))).toBe("too_deep");
  });

  it("reads a long run of escaped quotes in linear time", () => {
    const text = JSON.stringify('\\"'.repeat(500_000));
    const started = performance.now();
    expect(readJson(text, rules).ok).toBe(true);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("readJsonBytes", () => {
  it.each([
    ["a lone continuation byte", [0x22, 0x80, 0x22]],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22]],
    ["an encoded surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["a cut character", [0x22, 0xe2, 0x82]],
  ])("refuses %s", (_, bytes) => {
    expect(readJsonBytes(Buffer.from(bytes), rules)).toEqual({ ok: false, fault: "not_utf8" });
  });
});
