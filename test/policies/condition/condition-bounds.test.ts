/**
 * What a hostile author and a hostile agent can make a condition cost. Bounds are of work that is counted before it is
 * done, so these tests count, too: none of them looks at a clock.
 */
import { describe, expect, it } from "vitest";
import { compileCondition, type Outcome } from "../../../policies/condition/condition.ts";
import { convertArguments, sizePlainArguments } from "../../../policies/condition/condition-values.ts";
import { collectRunFacts } from "../../../policies/run-facts.ts";
import { claimsOf } from "../fixtures.ts";

const run = collectRunFacts(claimsOf());
const refusalOf = (when: string): string => {
  const compiled = compileCondition(when);
  return compiled.ok ? "" : compiled.message;
};
const evaluate = (when: string, args: Readonly<Record<string, unknown>>, tool = "t"): Outcome => {
  const compiled = compileCondition(when);
  if (!compiled.ok) {
    throw new Error(compiled.message);
  }
  return compiled.condition.evaluate({ args, tool, server: "s", run, robot: "r", agent: "a", calls: 0 });
};
const numbers = (length: number): number[] => Array.from({ length }, () => 1);

describe("a hostile policy author", () => {
  it.each([
    ["a text of 2,001 characters", `tool == "${"x".repeat(1_991)}"`, "longer than 2000 characters"],
    ["more than 250 nodes", `${Array(150).fill("1").join("+")} == 1`, "Exceeded maxAstNodes"],
    ["more than 32 levels", `${"[".repeat(40)}1${"]".repeat(40)} == []`, "Exceeded maxDepth"],
    ["a list of more than 200", `args.n in [${Array(201).fill("1").join(",")}]`, "Exceeded maxListElements"],
    ["an iteration inside another", "args.a.all(x, args.a.all(y, x == y))", "its cost would multiply"],
    [
      "an iteration in the list of another's body",
      "args.a.all(x, x in args.a.map(y, y))",
      "its cost would multiply",
    ],
    [
      "a list doubled thirty times",
      `[[1]]${".map(x, x + x)".repeat(20)} == []`,
      "cannot go over what map() makes",
    ],
    [
      "the same behind a filter",
      "[[1]].map(x, x + x).filter(x, true).map(x, x + x) == []",
      "cannot go over what map()",
    ],
    [
      "the same behind an index",
      "[[[1]].map(x, x + x)[0]].map(x, x + x) == []",
      "cannot go over what map() makes",
    ],
    [
      "a search of one argument in another",
      "args.a.contains(args.b)",
      "looks for a text that is spelled out",
    ],
    ["a search of the tool's name", "args.a.contains(tool)", "looks for a text that is spelled out"],
    [
      "a search of what is put together",
      'args.a.contains(args.b + "x")',
      "looks for a text that is spelled out",
    ],
    ["a search of an item", "args.a.exists(x, args.t.contains(x))", "looks for a text that is spelled out"],
    ["a regular expression", 'args.a.matches("(a+)+$")', "there is no method .matches()"],
  ])("%s does not compile", (_, when, message) => {
    expect(refusalOf(when)).toContain(message);
  });

  it.each([
    ["a filter's result", "args.a.filter(x, x > 0).all(x, x == 1)"],
    ["a fact of the run that is looked for", "args.t.contains(run.repository) || true"],
    ["a text that is looked for", 'args.t.contains("secret") || true'],
  ])("%s is not taken for an attack", (_, when) => {
    expect(evaluate(when, { a: [1, 1], t: "" })).toBe("true");
  });
});

describe("a hostile agent", () => {
  it("5,000 values are looked at, and not one more", () => {
    expect(evaluate("args.a != []", { a: numbers(4_999) })).toBe("true");
    expect(evaluate("args.a != []", { a: numbers(5_000) })).toBe("error");
    expect(evaluate("args.a.all(x, x == 1)", { a: numbers(4_999) })).toBe("true");
    expect(evaluate("args.a.all(x, x == 1)", { a: numbers(5_000) })).toBe("error");
  });

  it("a million characters are looked at, and not one more", () => {
    const text = (length: number) => ({ a: "x".repeat(length) });
    const most = 1024 * 1024 - "a".length - "t".length;
    for (const when of ['args.a.endsWith("x")', 'args.a.endsWith("x") && size(args.a) > 0']) {
      expect(evaluate(when, text(most))).toBe("true");
      expect(evaluate(when, text(most + 1))).toBe("error");
    }
  });

  it("the name of a tool counts like an argument", () => {
    expect(evaluate('tool.endsWith("x")', {}, "x".repeat(1024 * 1024))).toBe("true");
    expect(evaluate('tool.endsWith("x")', {}, "x".repeat(1024 * 1024 + 1))).toBe("error");
  });

  it("what an addition copies counts as often as it is copied", () => {
    const when = "args.a + args.a + args.a + args.a != args.a";
    expect(evaluate(when, { a: "x".repeat(200_000) })).toBe("true");
    expect(evaluate(when, { a: "x".repeat(300_000) })).toBe("error");
  });

  it("a long list and a long body: the product counts", () => {
    const body = Array(20).fill("x.a == 1").join(" || ");
    const when = `args.l.all(x, ${body})`;
    expect(evaluate(when, { l: Array.from({ length: 100 }, () => ({ a: 1 })) })).toBe("true");
    // Each of the comparisons would fail, and build an error.
    expect(evaluate(when, { l: numbers(1_000) })).toBe("error");
    expect(evaluate("args.l.all(x, x == 1)", { l: numbers(1_000) })).toBe("true");
  });

  it.each([
    [
      "a list against a list",
      "args.a.all(x, x in args.b)",
      { a: [1, 1], b: numbers(200) },
      { a: numbers(2_400), b: numbers(2_400) },
    ],
    [
      "the size of a text for every item",
      "args.a.all(x, size(args.t) > 0)",
      { a: [1, 1], t: "x".repeat(30_000) },
      { a: numbers(2_000), t: "x".repeat(30_000) },
    ],
    [
      "a text for every item",
      "args.a.all(x, args.t != args.u)",
      { a: [1], t: "x", u: "y" },
      { a: numbers(500), t: "x".repeat(30_000), u: "y".repeat(30_000) },
    ],
    [
      "texts put together for every item",
      "args.a.all(x, args.t + args.t != args.t)",
      { a: [1], t: "x" },
      { a: numbers(2_000), t: "x".repeat(30_000) },
    ],
    [
      "a text searched for every item",
      'args.a.all(x, args.t.contains("x"))',
      { a: [1], t: "x" },
      { a: numbers(500), t: "x".repeat(30_000) },
    ],
  ])("%s: a little of it is evaluated, much of it is not", (_, when, little, much) => {
    expect(evaluate(when, little)).toBe("true");
    expect(evaluate(when, much)).toBe("error");
  });

  it("stops at the first value that is too many: the others are not looked at", () => {
    let looks = 0;
    const counting = new Proxy(numbers(100_000), {
      get(target, key, receiver): unknown {
        looks += typeof key === "string" && /^[0-9]+$/.test(key) ? 1 : 0;
        return Reflect.get(target, key, receiver);
      },
    });
    const limits = { maxValues: 50, maxTextLength: 1_000, maxDepth: 8 };
    expect(() => convertArguments({ args: { a: counting }, names: ["a"] }, limits)).toThrow(
      "more than 50 values",
    );
    expect(looks).toBeLessThan(60);
  });

  it("does not look at what the condition does not name, however much it is", () => {
    const args = {
      get huge(): never {
        throw new Error("it was looked at");
      },
      owner: "acme",
    };
    expect(evaluate('args.owner == "acme"', args)).toBe("true");
    expect(evaluate('args.owner + "" == "acme"', args)).toBe("true");
  });

  it("sizes plain arguments as their conversion does", () => {
    const args = { a: "text", bb: [1, "two", true], c: 1.5, d: [] };
    const limits = { maxValues: 100, maxTextLength: 1_000, maxDepth: 8 };
    const names = ["a", "bb", "c", "d", "gone"];
    expect(sizePlainArguments(args, names)).toEqual(convertArguments({ args, names }, limits).size);
    expect(sizePlainArguments({ a: {} }, names)).toBeUndefined();
    expect(sizePlainArguments({ a: [[1]] }, names)).toBeUndefined();
    expect(sizePlainArguments({ a: null }, names)).toBeUndefined();
    expect(sizePlainArguments({ a: undefined }, names)).toBeUndefined();
  });

  it("values nested nine deep, or without end", () => {
    const nested = (depth: number): unknown => (depth === 0 ? "x" : [nested(depth - 1)]);
    expect(evaluate("args.a != []", { a: nested(7) })).toBe("true");
    expect(evaluate("args.a != []", { a: nested(8) })).toBe("error");
    const endless: unknown[] = [];
    endless.push(endless);
    expect(evaluate("args.a != []", { a: endless })).toBe("error");
  });
});
