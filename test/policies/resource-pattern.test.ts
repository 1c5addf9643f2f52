import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../policies/compilation.ts";
import type { Usage } from "../../policies/decision.ts";
import { compileResource, matchesResource, ResourcePattern } from "../../policies/resource-pattern.ts";
import { collectRunFacts } from "../../policies/run-facts.ts";
import { claimsOf } from "./fixtures.ts";

const unused: Usage = { calls: 0, callsOf: () => 0, labels: new Set() };

/** Whether a grant of this pattern alone lets the agent read this URI; by both ways there are to ask. */
async function reads(
  pattern: string,
  uri: string,
  claims: Record<string, unknown> = claimsOf(),
): Promise<boolean> {
  const policy = await compilePolicy(
    {
      v: 1,
      robot: "r",
      roles: ["role"],
      mode: "enforce",
      grants: [{ rule: "role#1", server: "docs", resources: [ResourcePattern.parse(pattern)] }],
      flow: [],
      servers: { docs: {} },
    },
    { claims },
  );
  const call = { server: "docs", kind: "resource", name: uri, args: {}, agent: "agent" } as const;
  const { effect } = policy.decide(call, unused);
  const compiled = compileResource(pattern, collectRunFacts(claims));
  expect(compiled !== undefined && matchesResource(compiled, uri)).toBe(effect === "allow");
  return effect === "allow";
}

describe("a resource", () => {
  it.each([
    ["repo://acme/payments/a", "repo://acme/payments/a"],
    ["repo://acme/payments/*", "repo://acme/payments/"],
    ["repo://acme/payments/*", "repo://acme/payments/src/a.b..c/...d/~e?x=1#y"],
    ["repo://{run.repository}/*", "repo://acme/payments/a"],
    ["repo://{run.repository_owner}/{run.repository_name}/a", "repo://acme/payments/a"],
    ["file:///docs/*", "file:///docs/a/b%20c.md"],
    ["file:///docs/*", "file:///docs/übersicht.md"],
    ["repo://*", "repo://acme/payments"],
    ["note:*", "note:x"],
    // What a policy spells out is meant, whatever a server makes of it.
    ["repo://acme/../x", "repo://acme/../x"],
    ["https://archive.example/https://example.com", "https://archive.example/https://example.com"],
  ])("%s names %s", async (pattern, uri) => {
    expect(await reads(pattern, uri)).toBe(true);
  });

  it.each([
    ["a dot segment", "repo://acme/payments/../ledger"],
    ["a dot segment at the end", "repo://acme/payments/.."],
    ["a single dot", "repo://acme/payments/./a"],
    ["a dot segment, encoded", "repo://acme/payments/%2e%2e/ledger"],
    ["a dot segment, encoded in part", "repo://acme/payments/.%2E/ledger"],
    ["a dot segment, encoded twice", "repo://acme/payments/%252e%252e/ledger"],
    ["a dot segment with a parameter", "repo://acme/payments/..;/ledger"],
    ["a dot segment with an encoded parameter", "repo://acme/payments/..%3b/ledger"],
    ["a dot segment before a query", "repo://acme/payments/..?x"],
    ["a dot segment before a fragment", "repo://acme/payments/..#x"],
    ["a dot segment in overlong UTF-8", "repo://acme/payments/%c0%ae%c0%ae/ledger"],
    ["two dots in one character", "repo://acme/payments/\u2025/ledger"],
    ["full-width dots", "repo://acme/payments/\uff0e\uff0e/ledger"],
    ["a full-width slash", "repo://acme/payments/..\uff0fledger"],
    ["an encoded slash", "repo://acme/payments/..%2fledger"],
    ["an encoded slash, upper case", "repo://acme/payments/a%2Fb"],
    ["a backslash", "repo://acme/payments/..\\ledger"],
    ["an encoded backslash", "repo://acme/payments/..%5Cledger"],
    ["NUL", "repo://acme/payments/a\u0000.md"],
    ["an encoded NUL", "repo://acme/payments/a%00.md"],
    ["a line break", "repo://acme/payments/a\nb"],
    ["a space", "repo://acme/payments/a b"],
    ["an absolute path inside", "repo://acme/payments//etc/passwd"],
    ["another normal form", "repo://acme/payments/cafe\u0301"],
    ["another case of the scheme", "REPO://acme/payments/a"],
    ["another case of the host", "repo://Acme/payments/a"],
    ["userinfo", "repo://acme@evil/payments/a"],
    ["userinfo before the host", "repo://evil@acme/payments/a"],
    ["a port", "repo://acme:80/payments/a"],
    ["a longer host", "repo://acme.evil/payments/a"],
    ["a longer name", "repo://acme/payments-secret/a"],
    ["a trailing dot of the host", "repo://acme./payments/a"],
    ["a missing slash", "repo:/acme/payments/a"],
    ["the directory itself", "repo://acme/payments"],
    ["an empty one", ""],
  ])("with %s is not below repo://acme/payments/", async (_, uri) => {
    expect(await reads("repo://acme/payments/*", uri)).toBe(false);
  });

  it("with a fragment or a query is not the one without", async () => {
    expect(await reads("repo://acme/payments/a", "repo://acme/payments/a#b")).toBe(false);
    expect(await reads("repo://acme/payments/a", "repo://acme/payments/a?b")).toBe(false);
    expect(await reads("repo://acme/payments/a", "repo://acme/payments/a/")).toBe(false);
  });
});

describe("a fact of the run in a pattern", () => {
  const branch = "repo://acme/branches/{run.head_ref}/*";
  const file = "repo://acme/branches/{run.head_ref}/readme";

  it("that is a name stands for itself", async () => {
    const claims = claimsOf({ head_ref: "feature/a_b-1.2+3" });
    expect(await reads(branch, "repo://acme/branches/feature/a_b-1.2+3/x", claims)).toBe(true);
    expect(await reads(file, "repo://acme/branches/feature/a_b-1.2+3/readme", claims)).toBe(true);
    expect(await reads(branch, "repo://acme/branches/feature/other/x", claims)).toBe(false);
  });

  it.each([
    ["climbs", "a/../../secrets"],
    ["climbs at its beginning", "../secrets"],
    ["climbs at its end", "a/.."],
    ["is a dot", "."],
    ["is encoded", "a%2f.."],
    ["is a pattern", "*"],
    ["ends like a pattern", "a*"],
    ["is another variable", "{run.repository}"],
    ["begins a fragment", "a#"],
    ["begins a query", "a?b="],
    ["names a user", "a@b"],
    ["names a port", "a:80"],
    ["has a slash first", "/etc"],
    ["has a slash last", "a/"],
    ["has two slashes", "a//b"],
    ["has a backslash", "a\\b"],
    ["has a line break", "a\nb"],
    ["has a NUL", "a\u0000b"],
    ["looks like dots", "\u2025"],
    ["is not ASCII", "ma\u0456n"],
    ["has replacement signs", "$&$1"],
    ["is empty", ""],
  ])("that %s fills in nothing: the pattern names nothing at all", async (_, fact) => {
    const claims = { ...claimsOf(), head_ref: fact };
    for (const pattern of [branch, file]) {
      const filled = pattern.replace("{run.head_ref}", () => fact);
      for (const uri of [
        filled,
        filled.replace("*", "x"),
        pattern,
        "repo://acme/secrets/readme",
        "repo://acme/branches/a/readme",
      ]) {
        expect(await reads(pattern, uri, claims)).toBe(false);
      }
    }
  });

  it("that the run does not have, or that is no text, fills in nothing", async () => {
    for (const head_ref of [undefined, 7, ["main"], null, { toString: "main" }]) {
      const claims = { ...claimsOf(), head_ref };
      expect(await reads(branch, "repo://acme/branches/main/x", claims)).toBe(false);
      expect(await reads(branch, "repo://acme/branches/undefined/x", claims)).toBe(false);
    }
    expect(await reads("repo://x/{run.constructor}/*", "repo://x/undefined/a")).toBe(false);
  });
});

describe("a pattern of resources", () => {
  it.each([
    "https://example.com*",
    "repo://acme*",
    "https://user@example.com:80*",
    "repo://{run.repository_owner}*",
  ])("%s names other hosts, too, and is refused", (pattern) => {
    expect(ResourcePattern.safeParse(pattern).error?.issues[0]?.message).toContain(
      "every host that begins like this one",
    );
  });

  it.each([
    "",
    "*",
    "a",
    "A:b",
    "a:",
    "a:b*c",
    "a:**",
    "a:b c",
    "a:\\b",
    "a:{run.}",
    "a:{args.x}",
    "a:{",
    `a:${"b".repeat(501)}`,
  ])("%j is refused", (pattern) => {
    expect(ResourcePattern.safeParse(pattern).success).toBe(false);
  });

  it.each([
    "repo://*",
    "note:*",
    "file:///*",
    "https://example.com/*",
    "https://example.com/a*",
    "repo://{run.repository}/*",
  ])("%s is one", (pattern) => {
    expect(ResourcePattern.safeParse(pattern).success).toBe(true);
  });
});
