import fc from "../../support/properties.ts";
import { describe, expect, test } from "vitest";
import { canonicalize, type Json } from "../../../audit/canonical.ts";
import { createRedactor } from "../../../audit/redaction/redaction.ts";

const secret = { id: "github-robot", kind: "github-app", value: 'c4nary+/"sëcret\\value?&=' };
const redactor = createRedactor([secret]);
const mark = "[redacted:github-app:github-robot]";

/** Written in pieces, so that this file holds nothing that looks like a secret to whoever scans it. */
const tokens: [kind: string, token: string][] = [
  ["github-token", `ghs_${"a1B2".repeat(9)}`],
  ["github-token", `ghs_${"a1B2".repeat(9)}.${"c3_-".repeat(60)}.${"d4".repeat(20)}`],
  ["github-token", `ghp_${"Zz09".repeat(9)}`],
  ["github-token", `github_pat_${"A1b2".repeat(6)}_${"C3d4".repeat(12)}`],
  ["gitlab-token", `glpat-${"x1Y2".repeat(5)}`],
  ["anthropic-key", `sk-ant-api03-${"Ab1_".repeat(20)}-AA`],
  ["openai-key", `sk-proj-${"Ab1_".repeat(12)}`],
  ["openai-key", `sk-${"a1B2".repeat(12)}`],
  ["stripe-key", `sk_live_${"a1B2".repeat(6)}`],
  ["aws-key", `AKIA${"ABCD2345".repeat(2)}`],
  ["aws-key", `ASIA${"ABCD2345".repeat(2)}`],
  ["google-key", `AIza${"aB3-_".repeat(7)}`],
  ["slack-token", `xoxb-${"1234567890".repeat(2)}-abcDEF`],
  ["slack-token", `xapp-1-${"A1B2".repeat(5)}`],
  ["npm-token", `npm_${"a1B2".repeat(9)}`],
  ["pypi-token", `pypi-AgEIcHlwaS5vcmc${"a1B2".repeat(15)}`],
  ["hugging-face-token", `hf_${"aBcD".repeat(9)}`],
  ["docker-token", `dckr_pat_${"a1B2-_".repeat(5)}`],
  ["sendgrid-key", `SG.${"a1B2".repeat(5)}.${"c3D4".repeat(10)}`],
  ["lanyard-token", `lanyard_agent_${"a1B2".repeat(8)}`],
  ["jwt", `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0.${"a1-_".repeat(20)}`],
  ["jwt", `eyJhbGciOiJkaXIifQ..${"a1-_".repeat(4)}.${"b2-_".repeat(9)}.${"c3-_".repeat(5)}`],
];

describe("a token behind an escape", () => {
  const [, token] = tokens[0] ?? [];
  test.each([
    ["JSON within JSON", JSON.stringify({ body: `line\n${token}` })],
    ["a tab of JSON within JSON", JSON.stringify(`\t${token}`)],
    ["an escape by number", `\\u003d${token}`],
    ["a URL", `https://x/?q=token%3D${token}`],
    ["a terminal's colours", `\u001b[1;31m${token}\u001b[0m`],
    ["a terminal's colours in JSON", JSON.stringify(`\u001b[31m${token}`)],
  ])("is replaced: %s", (_, text) => {
    const redacted = redactor.redactText(text);
    expect(redacted.count).toBe(1);
    expect(redacted.text).not.toContain(token);
  });

  test("is none where a word goes on", () => {
    const text = "task-force-2024-of-many-words [ask-me-2024-about-this-and-that]";
    expect(redactor.redactText(text)).toEqual({ text, count: 0 });
  });
});

test("a hundred thousand names that are secrets do not hold the machine up", () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `lop_${String(index).padStart(20, "x")}`);
  const start = performance.now();
  const { value, count } = redactor.redactJson(Object.fromEntries(names.map((name) => [name, 0])));
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(count).toBe(100_000);
  expect(Object.keys(value ?? {})).toHaveLength(100_000);
});

describe("a known secret", () => {
  test("is replaced by its kind and id, everywhere in a text", () => {
    expect(redactor.redactText(`a ${secret.value} and ${secret.value}!`)).toEqual({
      text: `a ${mark} and ${mark}!`,
      count: 2,
    });
  });

  test("is found in every form that it is commonly written in", () => {
    const { value } = secret;
    const bytes = Buffer.from(value);
    for (const form of [
      JSON.stringify(value).slice(1, -1),
      JSON.stringify(JSON.stringify(value)).slice(3, -3),
      encodeURIComponent(value),
      encodeURIComponent(value).toLowerCase(),
      new URLSearchParams({ v: value }).toString().slice(2),
      bytes.toString("base64"),
      bytes.toString("base64").replaceAll("=", ""),
      bytes.toString("base64url"),
    ]) {
      expect(redactor.redactText(`<${form}>`)).toEqual({ text: `<${mark}>`, count: 1 });
    }
  });

  test("leaves nothing to decode in the middle of other base64, as a password of a Basic header is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 20 }), (before, after) => {
        for (const encoding of ["base64", "base64url"] as const) {
          const encoded = Buffer.concat([before, Buffer.from(secret.value), after]).toString(encoding);
          const { text, count } = redactor.redactText(encoded);
          expect(count).toBe(1);
          expect(text.length - mark.length).toBeLessThanOrEqual(
            encoded.length - Math.floor((secret.value.length * 4) / 3) + 4,
          );
        }
      }),
    );
  });

  test("of several lines is found line by line, but its frame is not", () => {
    const pem = `-----BEGIN KEY-----\n${"QUJD".repeat(16)}\n${"REVG".repeat(16)}\n-----END KEY-----`;
    const lines = createRedactor([{ id: "k", kind: "key", value: pem }]);
    expect(lines.redactText(pem)).toEqual({ text: "[redacted:key:k]", count: 1 });
    expect(lines.redactText(`x ${"REVG".repeat(16)}`).text).toBe("x [redacted:key:k]");
    expect(lines.redactText("-----END KEY-----").count).toBe(0);
  });

  test("that contains another one is replaced as a whole", () => {
    const both = createRedactor([
      { id: "part", kind: "k", value: "abcdef" },
      { id: "whole", kind: "k", value: "abcdef-ghijkl" },
    ]);
    expect(both.redactText("abcdef-ghijkl abcdef").text).toBe("[redacted:k:whole] [redacted:k:part]");
  });

  test("that a token format ends in the middle of leaves no half behind", () => {
    const value = `tail+${"x".repeat(20)}`;
    const known = createRedactor([{ id: "s", kind: "k", value }]);
    expect(known.redactText(`ghp_${"a".repeat(36)}${value}`).text).not.toContain("xxx");
  });

  test("added later is redacted from then on", () => {
    const later = createRedactor([]);
    expect(later.redactText("hunter2hunter2").count).toBe(0);
    later.add({ id: "s", kind: "bearer", value: "hunter2hunter2" });
    expect(later.redactText("hunter2hunter2").text).toBe("[redacted:bearer:s]");
  });

  test("with characters that mean something in a pattern is taken literally", () => {
    const literal = createRedactor([{ id: "s", kind: "k", value: "a.*(b|$&)" }]);
    expect(literal.redactText("a.*(b|$&)").text).toBe("[redacted:k:s]");
    expect(literal.redactText("aXXXb").count).toBe(0);
  });

  test("too short to be one is left alone", () => {
    expect(createRedactor([{ id: "s", kind: "k", value: "abc" }]).redactText("abc abc").count).toBe(0);
    expect(createRedactor([{ id: "s", kind: "k", value: "" }]).redactText("abc").count).toBe(0);
  });
});

describe("what looks like a secret", () => {
  test.each(tokens)("a %s is replaced wherever it stands", (kind, token) => {
    const expected = `[redacted:${kind}:unknown]`;
    const plain = createRedactor([]);
    for (const [before, after] of [
      ["", ""],
      ["token=", ";"],
      ["https://x:", "@example.com/"],
      ['{"t":"', '"}'],
      ["\n", "\n"],
    ]) {
      expect(plain.redactText(before + token + after)).toEqual({ text: before + expected + after, count: 1 });
    }
  });

  test("a private key is replaced, whole or cut off", () => {
    const plain = createRedactor([]);
    const key = `-----BEGIN RSA PRIVATE KEY-----\nMIIE\n${"QUJD".repeat(16)}\n`;
    const whole = `${key}-----END RSA PRIVATE KEY-----`;
    expect(plain.redactText(`a\n${whole}\nb`).text).toBe("a\n[redacted:private-key:unknown]\nb");
    expect(plain.redactText(JSON.stringify(whole)).text).toBe('"[redacted:private-key:unknown]"');
    expect(plain.redactText(`a\n${key}`).text).toBe("a\n[redacted:private-key:unknown]");
  });

  test("ordinary text stays as it is", () => {
    const plain = createRedactor([]);
    for (const text of [
      "task-force-of-the-century-and-more",
      "sk-learn-something-new-every-day",
      "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
      "a".repeat(64),
      "refs/heads/main",
      "eyJ.eyJ.x",
      "version 1.22.333 of example.com",
      "-----BEGIN PUBLIC KEY-----",
      "AKIA is a prefix",
      mark,
    ]) {
      expect(plain.redactText(text)).toEqual({ text, count: 0 });
    }
  });

  test("a hostile text does not make the search slow", () => {
    const plain = createRedactor([secret]);
    for (const piece of [
      "eyJ-",
      "eyJaaaaaaaa.",
      "eyJ-eyJaaaaaaaa.",
      "sk-",
      "SG.a-",
      "ghs_a.",
      "-----BEGIN PRIVATE KEY-----",
      "xoxb-",
      "a.",
      "c4nary+",
    ]) {
      const started = performance.now();
      plain.redactText(piece.repeat(500_000 / piece.length));
      expect(performance.now() - started).toBeLessThan(2_000);
    }
  });
});

describe("redacted JSON", () => {
  test("has secrets replaced in names and values at any depth, and everything else as it was", () => {
    const value: Json = { a: [1, null, true, { b: `x${secret.value}` }], [secret.value]: "c", n: -1.5 };
    expect(redactor.redactJson(value)).toEqual({
      value: { a: [1, null, true, { b: `x${mark}` }], [mark]: "c", n: -1.5 },
      count: 2,
    });
    expect(value).toHaveProperty([secret.value]);
  });

  test("keeps both members whose names become the same", () => {
    const two = createRedactor([
      { id: "s", kind: "k", value: "first-secret" },
      { id: "s", kind: "k", value: "other-secret" },
    ]);
    expect(two.redactJson({ "first-secret": 1, "other-secret": 2 }).value).toEqual({
      "[redacted:k:s]": 1,
      "[redacted:k:s]#2": 2,
    });
  });

  test("keeps a member called __proto__ as a member", () => {
    const { value } = redactor.redactJson(JSON.parse('{"__proto__":{"a":1}}'));
    expect(canonicalize(value)).toBe('{"__proto__":{"a":1}}');
  });

  test("always has a canonical form, with lone surrogates replaced", () => {
    expect(redactor.redactJson({ "\ud800": "a\udc00" }).value).toEqual({ "\ufffd": "a\ufffd" });
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        canonicalize(redactor.redactJson(JSON.parse(JSON.stringify(value))).value);
      }),
    );
  });

  test("canary: wherever a secret is planted, it is in no form left", () => {
    const canary = "cAn4ry-Value+With/Marks=";
    const known = createRedactor([{ id: "canary", kind: "bearer", value: canary }]);
    const forms = [
      canary,
      encodeURIComponent(canary),
      Buffer.from(canary).toString("base64"),
      Buffer.from(canary).toString("base64url"),
    ];
    const text = fc
      .tuple(fc.string(), fc.constantFrom(...forms), fc.string())
      .map((parts) => parts.join(" "));
    fc.assert(
      fc.property(
        fc.letrec<{ json: Json }>((tie) => ({
          json: fc.oneof(
            { depthSize: "small" },
            text,
            fc.array(tie("json"), { maxLength: 3 }),
            fc.dictionary(text, tie("json"), { maxKeys: 3 }),
          ),
        })).json,
        (value) => {
          const written = canonicalize(known.redactJson(value).value);
          expect(forms.filter((form) => written.includes(form))).toEqual([]);
        },
      ),
    );
  });
});
