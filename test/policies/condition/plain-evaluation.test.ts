/** The short way and the evaluator are compared on the same condition: one that asks for all arguments has to go the long way. */
import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import {
  compileCondition,
  type ConditionFacts,
  type Outcome,
} from "../../../policies/condition/condition.ts";
import { collectRunFacts } from "../../../policies/run-facts.ts";
import { claimsOf } from "../fixtures.ts";

const run = collectRunFacts(claimsOf({ ref: "refs/pull/7/merge" }));

const evaluate = (when: string, facts: ConditionFacts): Outcome => {
  const compiled = compileCondition(when);
  if (!compiled.ok) {
    throw new Error(`${when}: ${compiled.message}`);
  }
  return compiled.condition.evaluate(facts);
};

/** Looking at `args` as a whole, the condition is not plain; the rest of it is what it was. */
const theLongWay = (when: string): string => `(${when}) && size(args) >= 0`;

const texts = ["x", "acme", "payments", "", "é", "e\u0301", "\ud800", "0", "true"];
const quoted = fc.constantFrom("x", "acme", "", "é").map((text) => JSON.stringify(text));
const textTerm = fc.oneof(
  quoted,
  fc.constantFrom(
    "args.s",
    'args["t"]',
    "run.repository_owner",
    "run.enterprise",
    "tool",
    "agent",
    "args.missing",
  ),
);
const anyTerm = fc.oneof(
  textTerm,
  fc.constantFrom("args.n", "args.b", "args.l", "args.o", "args.o.s", "args.l[0]", "run.pull_request_number"),
);
const number = fc.constantFrom("1", "2", "-1", "0", "1.5", "9007199254740993", "-0.0", "1e300");
const numberTerm = fc.oneof(number, fc.constantFrom("args.n", "args.m", "session.calls", "args.s", "args.l"));
const sign = fc.constantFrom("==", "!=", "<", "<=", ">", ">=");
const search = fc.constantFrom("startsWith", "endsWith", "contains");

const atom = (item: string | undefined): fc.Arbitrary<string> => {
  const own =
    item === undefined ? [] : [fc.constantFrom(`${item} == "x"`, `${item} < 2`, item, `${item}.s == 1`)];
  return fc.oneof(
    fc
      .tuple(fc.constantFrom("args.s", "args.n", "args.o", "args.b"), fc.constantFrom("==", "!="), anyTerm)
      .map((parts) => parts.join(" ")),
    fc.tuple(fc.constantFrom("args.n", "args.m", "args.s"), sign, numberTerm).map((parts) => parts.join(" ")),
    fc.tuple(numberTerm, sign, fc.constantFrom("args.n", "args.m")).map((parts) => parts.join(" ")),
    fc
      .tuple(fc.constantFrom("args.s", "args.n", "tool"), search, quoted)
      .map(([on, name, what]) => `${on}.${name}(${what})`),
    fc
      .tuple(fc.constantFrom("args.s", "args.n", "args.l", "tool"), fc.array(quoted, { maxLength: 3 }))
      .map(([what, list]) => `${what} in [${list.join(", ")}]`),
    fc.constantFrom(
      "has(args.s)",
      "has(args.missing)",
      "has(args.o)",
      "args.b",
      "args.s",
      "true",
      "false",
      "has(args.o.s)",
    ),
    ...own,
  );
};

const condition = (depth: number, item?: string): fc.Arbitrary<string> => {
  if (depth === 0) {
    return atom(item);
  }
  const inner = condition(depth - 1, item);
  const choices = [
    atom(item),
    inner.map((text) => `!(${text})`),
    fc
      .tuple(inner, fc.constantFrom("&&", "||"), inner)
      .map(([left, joint, right]) => `(${left}) ${joint} (${right})`),
  ];
  if (item === undefined) {
    choices.push(
      fc
        .tuple(
          fc.constantFrom("args.l", "args.s", "args.missing"),
          fc.constantFrom("all", "exists", "exists_one"),
          condition(depth - 1, "each"),
        )
        .map(([list, name, body]) => `${list}.${name}(each, ${body})`),
    );
  }
  return fc.oneof(...choices);
};

const scalar = fc.constantFrom<unknown>(...texts, 0, 1, 2, -0, 1.5, 2 ** 53, 1e300, true, false);
const anything = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, [null], [["x"]], { s: "x" }, {}) },
);
const facts: fc.Arbitrary<ConditionFacts> = fc.record({
  args: fc.record(
    { s: anything, t: anything, n: anything, m: anything, b: anything, l: anything, o: anything },
    { requiredKeys: [], noNullPrototype: true },
  ),
  tool: fc.constantFrom("x", "get", ""),
  server: fc.constant("github"),
  run: fc.constant(run),
  robot: fc.constant("acme/payments/triager"),
  agent: fc.constantFrom("x", "agent"),
  calls: fc.nat(3),
});

describe("a condition on plain arguments", () => {
  it("is what the evaluator says of it", () => {
    const seen = new Map<Outcome, number>();
    fc.assert(
      fc.property(condition(2), facts, (when, given) => {
        // Some are refused by the types alone: a fact of the run compared with another type.
        fc.pre(compileCondition(when).ok && compileCondition(theLongWay(when)).ok);
        const outcome = evaluate(when, given);
        expect(outcome).toBe(evaluate(theLongWay(when), given));
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      }),
      { numRuns: 4_000 },
    );
    expect([...seen.keys()].sort()).toEqual(["error", "false", "true"]);
    expect(Math.min(...seen.values())).toBeGreaterThan(100);
  });

  it.each([
    ["an integer that no double is", "args.n == 9007199254740993", { n: 2 ** 53 }, "false"],
    ["the double next to it", "args.n == 9007199254740992", { n: 2 ** 53 }, "true"],
    ["minus zero, which is zero", "args.n == 0 && !(args.n < 0)", { n: -0 }, "true"],
    ["an integer and a double of the same value", "args.n == 2", { n: 2.0 }, "true"],
    ["an integer and a double just above it", "args.n <= 2", { n: 2.000001 }, "false"],
    ["a number as text", 'args.n == "2"', { n: 2 }, "false"],
    ["a number that is none", "args.n <= 2", { n: Number.NaN }, "error"],
    ["a number beyond all doubles", "args.n > 2", { n: Number.POSITIVE_INFINITY }, "error"],
    ["an inherited member", "has(args.toString)", {}, "false"],
    ["a value that is not there, behind one that decides", 'args.gone == "x" || true', {}, "true"],
    ["a value that is not there, before one that decides", 'args.gone == "x" && false', {}, "false"],
    ["a value that is not there, beside one that does not", 'args.gone == "x" && true', {}, "error"],
    ["undefined, which no JSON holds", 'has(args.u) && args.u == "x"', { u: undefined }, "error"],
  ])("knows %s", (_, when, args, outcome) => {
    const given = { args, tool: "", server: "", run, robot: "", agent: "", calls: 0 };
    expect(evaluate(when, given)).toBe(outcome);
  });
});
