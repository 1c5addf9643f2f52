/** Names and arguments that an agent makes up against a compiled policy. */
import { describe, expect, it } from "vitest";
import type { Call } from "../../policies/decision.ts";
import { call, compile, decide, unused } from "./session-policies.ts";

describe("attacks with names", async () => {
  const policy = await compile([
    { server: "github", tools: ["get_issue", "list_*"] },
    { server: "memory", tools: ["*"] },
  ]);
  it.each([
    ["another case", "Get_issue"],
    ["a space", "get_issue "],
    ["a NUL", "get_issue\u0000"],
    ["a zero-width space", "get_\u200bissue"],
    ["a Cyrillic letter", "get_іssue"],
    ["a full-width letter", "ｇet_issue"],
    ["the pattern itself in another place", "*"],
    ["the beginning of an exact name", "get_"],
    ["an exact name and more", "get_issues"],
    ["nothing", ""],
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
    ["toString", "toString"],
    ["a pattern's prefix in another case", "List_issues"],
  ])("%s in a tool's name is no grant", (_, tool) => {
    expect(decide(policy, call(tool))).toEqual({ effect: "deny", reason: "no_grant" });
    expect(policy.show(call(tool), unused.labels).visible).toBe(false);
  });

  it.each(["__proto__", "constructor", "github ", "GitHub", ""])(
    "%j in a server's name is no grant",
    (server) => {
      expect(policy.reaches(server)).toBe(false);
      expect(decide(policy, { ...call("get_issue"), server })).toEqual({
        effect: "deny",
        reason: "no_grant",
      });
    },
  );

  it.each(["__proto__", "constructor", "аgent", "agent\u0000", "AGENT", ""])(
    "%j is not the agent that a condition names",
    async (agent) => {
      const own = await compile([{ server: "github", tools: ["a"], when: 'agent == "agent"' }]);
      expect(decide(own, call("a"))).toMatchObject({ effect: "allow" });
      expect(decide(own, { ...call("a"), agent })).toMatchObject({ reason: "condition_false" });
    },
  );

  it("a grant of __proto__ is a grant of that name and of nothing else", async () => {
    const odd = await compile([
      { server: "__proto__", tools: ["__proto__", "constructor*"], prompts: ["a"] },
    ]);
    expect(decide(odd, { ...call("__proto__"), server: "__proto__" })).toMatchObject({ effect: "allow" });
    expect(decide(odd, { ...call("constructor"), server: "__proto__" })).toMatchObject({ effect: "allow" });
    expect(decide(odd, { ...call("toString"), server: "__proto__" })).toMatchObject({ reason: "no_grant" });
    expect(decide(odd, call("__proto__"))).toMatchObject({ reason: "no_grant" });
  });

  it("a name in another normal form is another name", async () => {
    const composed = await compile([{ server: "github", tools: ["caf\u00e9"] }]);
    expect(decide(composed, call("caf\u00e9"))).toMatchObject({ effect: "allow" });
    expect(decide(composed, call("cafe\u0301"))).toMatchObject({ reason: "no_grant" });
  });

  it("a prefix ends where it says", () => {
    expect(decide(policy, call("list_"))).toMatchObject({ effect: "allow" });
    expect(decide(policy, call("list"))).toMatchObject({ reason: "no_grant" });
  });
});

describe("what cannot be evaluated", () => {
  const circular: Record<string, unknown> = {};
  circular["a"] = circular;
  const throwing = {
    get a(): never {
      throw new Error("not now");
    },
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const odd: readonly [string, Call["args"]][] = [
    ["nothing", {}],
    ["a value that throws", throwing],
    ["a value that contains itself", circular],
    ["a revoked proxy", { a: revoked.proxy }],
    ["a big integer", { a: 1n }],
    ["a symbol", { a: Symbol("x") }],
    ["a function", { a: () => "x" }],
    ["undefined", { a: undefined }],
    ["no number", { a: Number.NaN }],
    ["a date", { a: new Date(0) }],
    ["a hole in a list", { a: Array(2) }],
  ];

  it.each(odd)("is denied: %s", async (_, args) => {
    for (const when of [
      'args.a == "x"',
      "args.a != 7 && size(args.a) > 99",
      '!(args.a == "x") && args.b',
      "args.a < 1 || args.a[0].b",
    ]) {
      const policy = await compile([{ server: "github", tools: ["a"], when }]);
      expect(decide(policy, call("a", args)).effect).toBe("deny");
    }
  });
});
