import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { compileCondition } from "../../../policies/condition/condition.ts";
import { collectRunFacts } from "../../../policies/run-facts.ts";
import { claimsOf, pullRequestClaims } from "../fixtures.ts";

/** What a condition says about a call whose arguments arrived as this JSON. */
const evaluate = (
  when: string,
  args = "{}",
  claims: Record<string, unknown> = claimsOf(),
  more: { readonly tool?: string; readonly calls?: number } = {},
): string => {
  const compiled = compileCondition(when);
  if (!compiled.ok) {
    return `refused: ${compiled.message}`;
  }
  const run = collectRunFacts(claims);
  const parsed = JSON.parse(args) as Record<string, unknown>;
  const facts = {
    args: parsed,
    tool: "get_issue",
    server: "github",
    run,
    robot: "acme/payments/triager",
    agent: "agent",
    calls: 0,
    ...more,
  };
  return compiled.condition.evaluate(facts);
};

describe("a condition", () => {
  it.each([
    [
      "args.owner == run.repository_owner && args.repo == run.repository_name",
      '{"owner":"acme","repo":"payments"}',
    ],
    ['tool == "get_issue" && server == "github"', "{}"],
    ['robot == "acme/payments/triager" && agent == "agent"', "{}"],
    ['args.path.startsWith("docs/") && args.path.endsWith(".md")', '{"path":"docs/a.md"}'],
    ['args.labels.all(label, label in ["bug", "question"])', '{"labels":["bug","question"]}'],
    ['args.files.exists(file, file.path == "README.md")', '{"files":[{"path":"x"},{"path":"README.md"}]}'],
    ["size(args.labels) <= 2 && args.labels.size() == 2", '{"labels":["a","b"]}'],
    ["args.list.filter(each, each > 1).size() == 1", '{"list":[1,2]}'],
    ["!has(args.force) || args.force == false", "{}"],
    ["args.dry_run", '{"dry_run":true}'],
    ['args["a-b"] == 1', '{"a-b":1}'],
    ['string(args.number) == "7"', '{"number":7}'],
    ['args.text.contains("\\n") ? false : true', '{"text":"one line"}'],
    ["args.nothing == null", '{"nothing":null}'],
  ])("%s is true of %s", (when, args) => {
    expect(evaluate(when, args)).toBe("true");
  });

  it.each([
    ["args.n == 3", "3", "true"],
    ["3 == args.n", "3.0", "true"],
    ["args.n == 3", "3.5", "false"],
    ["args.n == 3", '"3"', "false"],
    ["args.n == 3.0", "3", "true"],
    ["args.n != 3", "3", "false"],
    ["args.n < 100", "99.9", "true"],
    ["args.n >= 100", "1e2", "true"],
    ["args.n + 1 == 4", "3", "true"],
    ["args.n - 0.5 == 2.5", "3", "true"],
    ["2 * args.n == 6", "3", "true"],
    ["args.n / 2 == 1.5", "3", "true"],
    ["args.n % 2 == 0", "4", "true"],
    ["-args.n == -3", "3", "true"],
    ["args.n in [1, 2, 3]", "3", "true"],
    ["args.n in [1.0, 2.5]", "2.5", "true"],
    ["args.n == size([1, 2, 3])", "3", "true"],
    ["args.n == 9007199254740993", "9007199254740992", "false"],
    ["9007199254740993 == args.n", "9007199254740992", "false"],
    ["args.n == 9007199254740993", "9007199254740993", "false"],
    ["args.n in [9007199254740993]", "9007199254740992", "false"],
    ["args.n < 9007199254740993", "9007199254740992", "true"],
    ["args.n == 0", "-0", "true"],
    ["args.n < 0 || args.n > 0", "-0", "false"],
    ["0.0 / 0.0 == args.n", "0", "false"],
    ["0.0 / 0.0 == 0", "0", "false"],
    ["size([args.n]) == 1.0", "0", "true"],
    ["args.n < 100", '"99"', "error"],
    ["args.n < 100", "[1]", "error"],
    ["args.n < 100", "true", "error"],
    ["args.n < 100", "null", "error"],
    ["args.n + 1 < 100", '"1"', "error"],
  ])("%s of n = %s is %s", (when, n, outcome) => {
    expect(evaluate(when, `{"n":${n}}`)).toBe(outcome);
  });

  it.each([
    ["a missing argument", 'args.owner == "acme"', "{}"],
    ["a missing argument behind a negation", '!(args.owner == "evil")', "{}"],
    ["a claim that the token does not carry", 'run.enterprise == "acme"', "{}"],
    ["text in place of an object", 'args.a.b == "x"', '{"a":"x"}'],
    ["a list in place of text", 'args.path.startsWith("docs/")', '{"path":["docs/"]}'],
    ["an index outside the list", "args.list[3] == 1", '{"list":[1]}'],
    ["a value that is neither true nor false", "args.flag", '{"flag":"true"}'],
    ["one as true", "args.flag", '{"flag":1}'],
  ])("cannot be evaluated on %s, which is not true", (_, when, args) => {
    expect(evaluate(when, args)).toBe("error");
  });

  it("knows the pull request it runs for", () => {
    const pull = pullRequestClaims();
    expect(evaluate("args.pull_number == run.pull_request_number", '{"pull_number":7}', pull)).toBe("true");
    expect(evaluate("args.pull_number == run.pull_request_number", '{"pull_number":8}', pull)).toBe("false");
    expect(evaluate("args.pull_number == run.pull_request_number", '{"pull_number":7}')).toBe("error");
  });

  it("takes claims that are no text for missing", () => {
    const odd = { ...claimsOf(), environment: ["agents"], actor: { toString: "x" }, repository: 7 };
    expect(evaluate("has(run.environment) || has(run.actor) || has(run.repository)", "{}", odd)).toBe(
      "false",
    );
  });

  it.each([
    ['args.path.matches("(a+)+$")', "there is no method .matches()"],
    ['args.m == {"a": 1}', "map literals are not available"],
    [
      'timestamp("2026-01-01T00:00:00Z") < timestamp("2027-01-01T00:00:00Z")',
      "there is no function timestamp()",
    ],
    ["type(args.n) == int", "there is no function type()"],
    ["int == int", 'unknown variable "int"'],
    ["cel.bind(x, args.n, x == 1)", 'unknown variable "cel"'],
    ["args.a.all(x, args.b.all(y, x == y))", "cannot stand inside another iteration"],
    ["args.a.all(args, true)", "all() wants a variable of its own first"],
    ["args.a.all(1, true)", "all(var, predicate)"],
    ['args.s == b"x"', "bytes and unsigned numbers do not exist"],
    ["args.n == 1u", "bytes and unsigned numbers do not exist"],
    ["nobody == 1", 'unknown variable "nobody"'],
    ["run.repositry == tool", 'a run has no "repositry": did you mean "repository"?'],
    ["run.repository == 5", "no such overload: string == int"],
    ["tool.name == server", "Cannot index type 'string'"],
    ["size(tool)", "of type int"],
    ["", "Unexpected token: EOF"],
    ["true true", "Unexpected character"],
  ])("%s does not compile", (when, message) => {
    expect(evaluate(when)).toContain(`refused: `);
    expect(evaluate(when)).toContain(message);
  });

  it.each([
    ["too long", `tool == "${"x".repeat(2_000)}"`, "longer than 2000 characters"],
    ["too large", `${Array(150).fill("1").join("+")} == 1`, "Exceeded maxAstNodes"],
    ["too deep", `${"(".repeat(900)}true${")".repeat(900)}`, "Exceeded maxDepth"],
    ["all negations", `${"!".repeat(1_900)}true`, "Exceeded maxAstNodes"],
  ])("that is %s does not compile", (_, when, message) => {
    expect(evaluate(when)).toContain(message);
  });

  it("knows how many calls the session has made, and what is asked for", () => {
    expect(evaluate("session.calls < 3", "{}", claimsOf(), { calls: 2 })).toBe("true");
    expect(evaluate("session.calls < 3", "{}", claimsOf(), { calls: 3 })).toBe("false");
    expect(evaluate("session.calls % 2 == 0", "{}", claimsOf(), { calls: 3 })).toBe("false");
    expect(evaluate('tool.startsWith("repo://")', "{}", claimsOf(), { tool: "repo://x" })).toBe("true");
    expect(evaluate("session.calls == 3 && 3 == session.calls", "{}", claimsOf(), { calls: 3 })).toBe("true");
    expect(evaluate("session.calls != size([1, 2])", "{}", claimsOf(), { calls: 2 })).toBe("false");
    expect(evaluate("session.nothing == 1")).toContain("refused: ");
  });

  it("says where in its text the mistake is", () => {
    expect(compileCondition("true && arg.x == 1")).toMatchObject({ ok: false, offset: 8 });
  });

  it("gives true, false or error for whatever text and arguments there are, and never throws", () => {
    const word = fc.constantFrom(
      "args",
      ".a",
      '["b"]',
      " == ",
      " in ",
      "1",
      "2.5",
      '"x"',
      "[",
      "]",
      "(",
      ")",
      " && ",
      "!",
      "size(",
      "run.ref",
      ".all(x, ",
      "x",
      " ? ",
      " : ",
      "null",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), fc.jsonValue(), (words, a) => {
        const outcome = evaluate(words.join(""), JSON.stringify({ a, b: a }));
        expect(["true", "false", "error"].includes(outcome) || outcome.startsWith("refused: ")).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("attacks with arguments", () => {
  it("`args` with `__proto__`: an own key and nothing more", () => {
    expect(evaluate("args.m == args.n", '{"m":{"__proto__":{}},"n":{"a":1}}')).toBe("false");
    expect(evaluate('args.owner == "acme"', '{"__proto__":{"owner":"acme"}}')).toBe("error");
    expect(evaluate("has(args.polluted)", '{"__proto__":{"polluted":true}}')).toBe("false");
    expect(evaluate('args["__proto__"] == 1', '{"__proto__":1}')).toBe("true");
    expect(evaluate("args.a.b == 1", '{"a":{"__proto__":{"b":1}}}')).toBe("error");
  });

  it("`args` with `constructor`: an own key and nothing more", () => {
    expect(evaluate("args.a.constructor == 1", '{"a":{"constructor":1}}')).toBe("true");
    expect(evaluate("args.a.b == 1", '{"a":{"constructor":{"name":"Map"},"b":1}}')).toBe("true");
    expect(evaluate("has(args.constructor) || has(args.toString)")).toBe("false");
  });

  it("a list that looks like the text that is compared", () => {
    expect(evaluate('args.owner == "acme"', '{"owner":["acme"]}')).toBe("false");
    expect(evaluate('args.owner == "acme"', '{"owner":{"0":"acme"}}')).toBe("false");
  });

  it("unicode look-alikes and other normal forms", () => {
    expect(evaluate('args.name == "é"', '{"name":"e\\u0301"}')).toBe("false");
    expect(evaluate('args.name == "a"', '{"name":"\\u0430"}')).toBe("false");
    expect(evaluate('args.name == "a"', '{"name":"a\\u200b"}')).toBe("false");
    expect(evaluate('args.name == "a"', '{"name":"a\\u0000"}')).toBe("false");
  });

  it("arguments nested 10,000 deep: only a condition that looks at them fails", () => {
    const deep = `{"deep":${"[".repeat(3_000)}${"]".repeat(3_000)},"owner":"acme"}`;
    expect(evaluate("args.deep == []", deep)).toBe("error");
    expect(evaluate('args.owner == "acme"', deep)).toBe("true");
  });

  it("very large arguments: only a condition that looks at them fails", () => {
    const text = "x".repeat(2 * 1024 * 1024);
    const large = JSON.stringify({
      content: text,
      list: Array.from({ length: 6_000 }, () => 1),
      path: "a.md",
    });
    expect(evaluate('args.path.endsWith(".md")', large)).toBe("true");
    expect(evaluate('args.content.endsWith("x")', large)).toBe("error");
    expect(evaluate("args.list.all(each, each == 1)", large)).toBe("error");
    expect(evaluate("size(args) == 3", large)).toBe("error");
  });
});
