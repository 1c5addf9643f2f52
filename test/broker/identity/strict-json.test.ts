/** No two readers may see different objects in one text. */
import fc from "../../support/properties.ts";
import { expect, test } from "vitest";
import { parseStrictObject } from "../../../broker/identity/strict-json.ts";

test.each([
  '{"a":1,"a":1}',
  '{"a":1,"\\u0061":2}',
  '{"x":{"a":1,"a":2}}',
  '{"x":[{"a":1},{"b":1,"b":2}]}',
  '{"":1,"":2}',
  '{"a\\"":1,"a\\u0022":2}',
  "[]",
  "1",
  "null",
  "",
  "{",
  '{"a":1}x',
  '{"__proto__":1,"__proto__":1}',
  '{"1":1,"1":1}',
  '\ufeff{"a":1}',
  `{"a":${"[".repeat(16)}${"]".repeat(16)}}`,
])("refused: %s", (text) => {
  expect(parseStrictObject(text)).toBeUndefined();
});

test.each([
  '{"a":"a","b":["a","a"],"c":{"a":1}}',
  '{"a":"{\\"a\\":1,\\"a\\":2}"}',
  '{"a":[{"a":1},{"a":1}],"b":{"a":{"a":1}}}',
  '{"a\\\\":1,"a":2}',
  '{"__proto__":{"a":1},"b":2}',
  '{"2":1,"1":1}',
  '{ "a" : 1 }',
  `{"a":${"[".repeat(15)}${"]".repeat(15)}}`,
  `{"a":"${"{[".repeat(40)}"}`,
])("accepted: %s", (text) => {
  expect(parseStrictObject(text)).toEqual(JSON.parse(text));
});

test("whatever JSON.stringify writes of an object has each name once", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const text = JSON.stringify(value);
      expect(JSON.stringify(parseStrictObject(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("any member written twice, anywhere, is noticed", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
      fc.jsonValue(),
      (value, nested) => {
        const [name = ""] = Object.keys(value);
        const twice = `{${JSON.stringify(name)}:${JSON.stringify(nested)},${JSON.stringify(value).slice(1)}`;
        expect(parseStrictObject(twice)).toBeUndefined();
        expect(parseStrictObject(`{"outer":[${JSON.stringify(nested)},${twice}]}`)).toBeUndefined();
      },
    ),
  );
});
