import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { keepsItsValue } from "../../../proxy/messages/json-numbers.ts";

describe("keepsItsValue", () => {
  it.each([
    "0",
    "-1",
    "42",
    "999999999999999",
    "1.0",
    "1e2",
    "1E+2",
    "0.1",
    "-0.5",
    "9007199254740992",
    "1e21",
    "0e7",
    "0.000",
  ])("takes %s", (text) => expect(keepsItsValue(text)).toBe(true));

  it.each([
    "9007199254740993",
    "1e400",
    "-1e400",
    "-0",
    "-0.0",
    "-0e5",
    "3.14159265358979323846",
    "1e-400",
    "0.1000000000000000055511151231257827",
  ])("refuses %s, which would be another number", (text) => expect(keepsItsValue(text)).toBe(false));

  it("takes whatever JavaScript itself writes, except the sign of zero", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(keepsItsValue(JSON.stringify(value))).toBe(true);
      }),
    );
  });

  it("takes an integer only if it is written again with the same digits", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 10n ** 20n }), (value) => {
        expect(keepsItsValue(String(value))).toBe(BigInt(String(Number(value))) === value);
      }),
    );
  });
});
