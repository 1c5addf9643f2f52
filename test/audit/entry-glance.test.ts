import { describe, expect, test } from "vitest";
import { surelyFits } from "../../audit/entry-glance.ts";
import { Entry } from "../../audit/record.ts";
import fc from "../support/properties.ts";
import { callOf, resultOf } from "./stored-session.ts";

const digest = "a".repeat(64);
const whole = [
  {
    ...callOf("a"),
    ...{ tool: "t", resource: "r", prompt: "p", rule: "x#1", traceparent: "00" },
    ...{ arguments: { a: [1] }, arguments_digest: digest, client: { name: "n", version: "1" } },
  },
  { ...resultOf("a"), digest },
];

describe("a glance at an entry", () => {
  test.each(whole)("takes what is written for every call: $kind", (entry) => {
    expect(surelyFits(entry)).toBe(true);
    expect(Entry.safeParse(entry).success).toBe(true);
  });

  test("leaves every other kind, and every member it does not know, to the schema", () => {
    expect(surelyFits({ kind: "seal" })).toBe(false);
    expect(surelyFits({ ...resultOf("a"), ...{ markers: ["tool_order"] } })).toBe(false);
    expect(surelyFits({ ...callOf("a"), ...{ labels: [] } })).toBe(false);
  });

  test("never takes what the schema refuses, whatever is changed, added or left out", () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(
        undefined,
        NaN,
        -1,
        0.5,
        -0,
        2 ** 53,
        digest,
        digest.toUpperCase(),
        "ok",
        "deny",
        null,
      ),
      fc.record({ name: fc.jsonValue(), version: fc.jsonValue() }, { requiredKeys: [] }),
    );
    const names = [...new Set(whole.flatMap((entry) => Object.keys(entry)))].filter(
      (name) => name !== "kind",
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...whole),
        fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value, {
          maxKeys: 3,
          noNullPrototype: true,
        }),
        fc.subarray(names, { maxLength: 2 }),
        (entry, changed, left) => {
          const other: Record<string, unknown> & { kind: string } = {
            ...entry,
            ...changed,
            kind: entry.kind,
          };
          left.forEach((name) => Reflect.deleteProperty(other, name));
          expect(!surelyFits(other) || Entry.safeParse(other).success).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
