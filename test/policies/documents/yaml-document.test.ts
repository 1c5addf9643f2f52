import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { parseYaml } from "../../../policies/documents/yaml-document.ts";

const faultsOf = (text: string): string[] => {
  const parsed = parseYaml(text);
  return parsed.ok ? [] : parsed.faults.map(({ line, column, message }) => `${line}:${column} ${message}`);
};

describe("a policy document in YAML", () => {
  it("is plain data that knows where each value stands", () => {
    const parsed = parseYaml('# first\nroles:\n  reader:\n    tools: [a, "b c"]\n');
    expect(parsed.ok).toBe(true);
    if (parsed.ok) {
      const { document } = parsed;
      expect(document.data).toEqual({ roles: { reader: { tools: ["a", "b c"] } } });
      expect(document.locate(["roles", "reader", "tools", 1])).toEqual({ line: 4, column: 16 });
      expect(document.locateKey(["roles", "reader"])).toEqual({ line: 3, column: 3 });
      expect(document.locateIn(["roles", "reader", "tools", 1], 2)).toEqual({ line: 4, column: 19 });
      expect(document.sourceOf(["roles", "reader", "tools", 1])).toBe('"b c"');
    }
  });

  it.each([
    ["pictures in several characters", "# 👩\u200d💻 👍🏽 ⚠\ufe0f"],
    ["joiners of Persian and Hindi", "# می\u200cخواهم क्\u200dष"],
    ["letters with marks, right to left", "# e\u0301 עברית"],
  ])("may hold %s", (_, comment) => {
    expect(faultsOf(`a: 1 ${comment}\n`)).toEqual([]);
  });

  it("places what is missing at the nearest parent", () => {
    const parsed = parseYaml("a:\n  b: 1\n");
    expect(parsed.ok && parsed.document.locate(["a", "c", 3])).toEqual({ line: 2, column: 3 });
  });

  it("places a character of an escaped or folded text at the text", () => {
    const parsed = parseYaml('a: "x\\ty"\nb: >\n  one\n  two\n');
    expect(parsed.ok && parsed.document.locateIn(["a"], 2)).toEqual({ line: 1, column: 4 });
    expect(parsed.ok && parsed.document.locateIn(["b"], 5)).toEqual({ line: 2, column: 4 });
  });

  it.each([
    ["an anchor", "a: &x 1\n", "1:4 anchors"],
    ["an alias", "a: &x 1\nb: *x\n", "2:4 aliases"],
    ["a tag", "a: !!str 1\n", "1:4 tags"],
    ["a tag on a mapping", "a: !x {b: 1}\n", "1:4 tags"],
    ["an anchor on a key", "&x a: 1\n", "1:1 anchors"],
    ["a directive", "%YAML 1.1\n---\na: 1\n", "1:1 directives"],
    ["a merge key", "a:\n  <<: {b: 1}\n", "2:3 merge keys"],
    ["a key twice", "a: 1\nb: 2\na: 3\n", '3:1 "a" appears twice'],
    ["a key twice on one line", "{a: 1, 'a': 2}\n", '1:8 "a" appears twice'],
    ["a second document", "a: 1\n---\nb: 2\n", "2:1 a second document"],
    ["a number as key", "1: a\n", "1:1 a key must be a plain string"],
    ["a list as key", "? [a]\n: b\n", "1:1 a key must be a plain string"],
    ["__proto__ as key", "a:\n  __proto__: 1\n", '2:3 "__proto__" cannot be a key'],
    ["a tab as indentation", "a:\n\tb: 1\n", "2:1 not valid YAML"],
    ["an unclosed quote", "a: 'x\n", "not valid YAML"],
    ["a control character", "a: x\u0007\n", "1:5 the character U+0007"],
    ["text that turns around", "a: x # \u202e y\n", "1:8 the character U+202E"],
    ["too many levels", `${"[".repeat(21)}${"]".repeat(21)}`, "1:21 more than 20 levels"],
    ["too many bytes", `# ${"x".repeat(256 * 1024)}\n`, "1:1 the document is larger than 256 KiB"],
  ])("refuses %s", (_, text, fault) => {
    expect(faultsOf(text).some((found) => found.includes(fault))).toBe(true);
  });

  it("reports all restrictions at once, in the order of the text", () => {
    expect(faultsOf("a: &x 1\nb: *x\nc: !y 2\n").map((fault) => fault.split(":")[0])).toEqual([
      "1",
      "2",
      "3",
    ]);
  });

  it.each([
    ["brackets", "[".repeat(200_000)],
    ["braces", "{a: ".repeat(60_000)],
    ["dashes", "- ".repeat(120_000)],
    ["question marks", "? ".repeat(120_000)],
    ["keys", Array.from({ length: 30_000 }, (_, index) => `k${index}: 1`).join("\n")],
  ])("survives a document of nothing but %s", (_, text) => {
    const started = performance.now();
    parseYaml(text);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("reads YAML 1.2: yes, on and 0o17 mean what they say", () => {
    const parsed = parseYaml("a: yes\nb: on\nc: 0o17\nd: 1:30\n");
    expect(parsed.ok && parsed.document.data).toEqual({ a: "yes", b: "on", c: 15, d: "1:30" });
  });

  it("gives faults or data for every text, and never throws", () => {
    const piece = fc.constantFrom(
      "a",
      ": ",
      "- ",
      "\n",
      "  ",
      "[",
      "]",
      "{",
      "}",
      "&x",
      "*x",
      "!t",
      "'",
      '"',
      "#",
      "|",
      "?",
      "%",
      "---",
      "1",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const parsed = parseYaml(pieces.join(""));
        expect(parsed.ok || parsed.faults.length > 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
