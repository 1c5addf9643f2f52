import fc from "../../support/properties.ts";
import { expect, it } from "vitest";
import { toByteText, toCharacters } from "../../../proxy/messages/json-spans.ts";
import { cleanDefinition } from "../../../proxy/inspection/definition-cleaning.ts";

const clean = (text: string): { text: string; removed: object } => {
  const { text: cleaned, removed } = cleanDefinition(toByteText(text));
  return { text: toCharacters(cleaned), removed: Object.fromEntries(removed) };
};

it("cleans titles and descriptions at any depth, and leaves every other byte", () => {
  const text = String.raw`{ "name":"a\u200b", "description":"x\u200by", "max":1.0,
    "inputSchema":{"properties":{"description":{"title":"​t","enum":["​"],"default":{"description":"​"}}},
    "allOf":[{"description":"é​"}], "required":["description","​"]}, "x":"​"}`;
  expect(clean(text)).toEqual({
    text: String.raw`{ "name":"a\u200b", "description":"xy", "max":1.0,
    "inputSchema":{"properties":{"description":{"title":"t","enum":["​"],"default":{"description":"​"}}},
    "allOf":[{"description":"é"}], "required":["description","​"]}, "x":"​"}`,
    removed: { zero_width: 3 },
  });
});

it("cleans a name of a member that is written with escapes", () => {
  expect(clean(String.raw`{"d\u0065scription":"\u202ea"}`).text).toBe(String.raw`{"d\u0065scription":"a"}`);
});

it("cleans a text that stands alone", () => {
  expect(clean('"a\u{e0041}b"')).toEqual({ text: '"ab"', removed: { tag: 1 } });
});

it("leaves whatever hides nothing as it came, to the byte", () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false }), (json) => {
      const { text, removed } = clean(json);
      expect(Object.keys(removed).length > 0 || text === json).toBe(true);
      expect(() => void JSON.parse(text)).not.toThrow();
    }),
  );
});
