import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { decodeFieldValue, encodeFieldValue, readFields } from "../../../proxy/messages/fields.ts";

describe("readFields", () => {
  it("reads names in lower case and joins lists", () => {
    expect(readFields(["Host", "x", "Accept", "a", "ACCEPT", "b"])).toEqual(
      new Map([
        ["host", "x"],
        ["accept", "a, b"],
      ]),
    );
  });

  it.each(["Host", "Authorization", "Mcp-Name", "Mcp-Session-Id", "Origin", "Content-Type", "X-Anything"])(
    "refuses %s twice",
    (name) => expect(readFields([name, "a", name.toLowerCase(), "a"])).toBeUndefined(),
  );
});

describe("the encoding of values", () => {
  it("brings every well-formed text there and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const encoded = encodeFieldValue(text);
        expect(encoded).toMatch(/^[\x20-\x7e\t]*$/);
        expect(decodeFieldValue(encoded)).toBe(text);
      }),
    );
  });

  it.each([
    ["us-west1", "us-west1"],
    ["Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="],
    [" padded ", "=?base64?IHBhZGRlZCA=?="],
    ["line1\nline2", "=?base64?bGluZTEKbGluZTI=?="],
    ["=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="],
  ])("writes %j as the specification does", (text, encoded) => {
    expect(encodeFieldValue(text)).toBe(encoded);
  });

  it.each(["=?base64?????=", "=?base64?YQ?=", "=?base64?gA==?=", "=?base64?Y Q==?=", "caf\u00e9"])(
    "refuses %s, which two readers could take differently",
    (value) => expect(decodeFieldValue(value)).toBeUndefined(),
  );
});
