import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import {
  findElements,
  findMembers,
  findPath,
  readSpan,
  replaceSpan,
  toByteText,
} from "../../../proxy/messages/json-spans.ts";

describe("findMembers", () => {
  it("finds every member where it stands", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 2),
        (value, space) => {
          const text = toByteText(JSON.stringify(value, null, space));
          const found = findMembers(text, 0);
          const read = [...(found?.spans ?? [])].map(([name, span]) => [
            Buffer.from(name, "latin1").toString(),
            readSpan(text, span),
          ]);
          expect(read).toEqual(Object.entries(JSON.parse(JSON.stringify(value))));
          expect(found?.whole).toEqual({ start: 0, end: text.length });
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    '{"a":1,"a":2}',
    '{"id":1,"i\\u0064":2}',
    "{",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1 "b":2}',
    "[]",
    "",
    '{"a":"',
  ])("takes %s for no object", (text) => expect(findMembers(text, 0)).toBeUndefined());

  it("is not led astray by brackets and quotes within strings", () => {
    const text = JSON.stringify({ a: '}{"][\\', b: ['"}'], c: { d: "\\" } });
    const { spans } = findMembers(text, 0) ?? {};
    expect([...(spans?.values() ?? [])].map((span) => readSpan(text, span))).toEqual([
      '}{"][\\',
      ['"}'],
      { d: "\\" },
    ]);
  });
});

describe("findElements", () => {
  it("finds every element where it stands", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const text = toByteText(JSON.stringify(values));
        const read = findElements(text, 0)?.map((span) => readSpan(text, span));
        expect(read).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
  });

  it.each(["[", "[1,", "[1 2]", "{}", "[,]"])("takes %s for no array", (text) => {
    expect(findElements(text, 0)).toBeUndefined();
  });
});

it("replaces a part deep inside and leaves every other byte", () => {
  const text = '{ "a" : { "b":[1.0, 2e5], "c":"\u00c3\u00a9" } }';
  const span = findPath(text, 0, ["a", "b"]);
  expect(span && replaceSpan(text, span, "[]")).toBe('{ "a" : { "b":[], "c":"\u00c3\u00a9" } }');
});
