/** What a binding gives, whatever the order in which its documents were written or read. */
import fc from "../support/properties.ts";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { PolicyFile } from "../../policies/documents/document.ts";
import { sessionPolicyOf } from "../../policies/issuing.ts";
import { assemblePolicies } from "../../policies/loading.ts";
import type { Policies } from "../../policies/policies.ts";
import { digestPolicy, SessionPolicy } from "../../policies/session-policy.ts";
import { filesOf, issuer, policiesOf } from "./fixtures.ts";

type Document = Readonly<Record<string, unknown>>;

const servers: Document = {
  github: {
    url: "https://mcp.example.com/mcp",
    reads: ["untrusted"],
    tools: { get_issue: { read_only: true }, gist: { writes: ["public"], reads: [] } },
  },
  wiki: { url: "https://wiki.example.com/mcp", writes: ["public"] },
  memory: { command: ["node", "memory.js"], env: { A: "1", B: "2" }, start: "lazy" },
};
const roles: Document = {
  reader: { grants: [{ server: "github", tools: ["get_issue", "list_*"] }] },
  writer: {
    grants: [
      {
        server: "wiki",
        tools: ["*"],
        when: 'args.page == "a"',
        limit: { calls: 3 },
        audit: { arguments: "digest" },
        inspect: { text: "pass" },
      },
      { server: "memory", resources: ["memory://{run.repository}/*"], prompts: ["recall"] },
    ],
    flow: [{ after: ["untrusted"], deny: ["public"] }],
  },
};
const binding = (event: string, ...given: string[]): Document => ({
  workflow: ".github/workflows/triage.yml",
  events: [event],
  ref: "refs/heads/main",
  roles: given,
});
const robotsOf = (id: number): Document => ({
  issuer,
  repository: `acme/repo-${id}`,
  repository_id: String(id),
  repository_owner_id: "9",
  robots: {
    triager: { bindings: [binding("schedule", "reader", "writer"), binding("push", "writer", "reader")] },
    reader: { bindings: [binding("schedule", "reader")], session: { ttl: "10m", max: "1h" } },
  },
});

interface Order {
  keys: readonly number[];
  files: readonly number[];
}

/** Every mapping in another order; lists, whose order says something, as they are. */
function shuffleKeys(value: unknown, keys: readonly number[]): unknown {
  if (Array.isArray(value)) {
    return value.map((each) => shuffleKeys(each, keys));
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const entries = Object.entries(value).map(([key, each], index) => ({
    key,
    each,
    at: keys[index] ?? index,
  }));
  return Object.fromEntries(
    entries.toSorted((a, b) => a.at - b.at).map(({ key, each }) => [key, shuffleKeys(each, keys)]),
  );
}

function load({ keys, files: positions }: Order): Policies {
  const write = (path: string, document: Document): PolicyFile => ({
    path,
    text: stringify(shuffleKeys(document, keys)),
  });
  const files = [
    write("servers.yaml", { servers }),
    write("roles.yaml", { roles }),
    ...[1, 2, 3].map((id) => write(`robots/acme/repo-${id}.yaml`, robotsOf(id))),
  ];
  const loaded = assemblePolicies(
    positions.map((position) => files[position]).filter((file) => file !== undefined),
  );
  if (!loaded.ok) {
    throw new Error(JSON.stringify(loaded.problems));
  }
  return loaded.policies;
}

/** What every binding of every robot gives, in both modes. */
function digestsOf(policies: Policies): string[] {
  return [...policies.repositories.values()]
    .flatMap(({ name, robots }) =>
      [...robots].flatMap(([robot, { bindings }]) =>
        bindings.flatMap(({ roles: bound }, index) =>
          (["enforce", "observe"] as const).map((mode) => {
            const policy = sessionPolicyOf(policies, { robot: `${name}/${robot}`, roles: bound, mode });
            return `${name}/${robot} ${index} ${mode}: ${digestPolicy(policy)}`;
          }),
        ),
      ),
    )
    .sort();
}

it("who asks for fewer roles keeps the flow rules of the others", () => {
  const policies = policiesOf();
  const roles = [...policies.roles].map(([name, role]) => ({ name, role }));
  const [first, second] = roles;
  if (first === undefined || second === undefined) throw new Error("the fixture has too few roles");
  const ruled: Policies = {
    ...policies,
    roles: new Map([
      [first.name, first.role],
      [second.name, { ...second.role, flow: [{ after: ["untrusted"], deny: ["public"] }] }],
    ]),
  };
  const issued = { robot: "acme/payments/triager", roles: [first.name], mode: "enforce" } as const;
  expect(sessionPolicyOf(ruled, issued).flow).toEqual([]);
  const { flow, grants } = sessionPolicyOf(ruled, { ...issued, boundRoles: [first.name, second.name] });
  expect(flow).toEqual([{ rule: `${second.name}~1`, after: ["untrusted"], deny: ["public"] }]);
  expect(grants.every(({ rule }) => rule.startsWith(`${first.name}#`))).toBe(true);
});

describe("what a binding gives", () => {
  it("does not depend on the order of files, robots, roles, servers or any other key", () => {
    const inOrder = { keys: [], files: [0, 1, 2, 3, 4] };
    const expected = digestsOf(load(inOrder));
    expect(new Set(expected.map((line) => line.split(": ")[1])).size).toBe(expected.length);
    const orders = fc.record({
      keys: fc.array(fc.nat(20), { minLength: 6, maxLength: 6 }),
      files: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
    });
    fc.assert(
      fc.property(orders, (order) => {
        expect(digestsOf(load(order))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it("depends on the order of its roles, which decides whose rule is named", () => {
    const policies = load({ keys: [], files: [0, 1, 2, 3, 4] });
    const give = (...given: string[]) =>
      digestPolicy(
        sessionPolicyOf(policies, { robot: "acme/repo-1/triager", roles: given, mode: "enforce" }),
      );
    expect(give("reader", "writer")).not.toBe(give("writer", "reader"));
  });

  it("holds the servers that are reached, with what is known of them, and no other", () => {
    const policies = load({ keys: [], files: [0, 1, 2, 3, 4] });
    const give = (mode: "enforce" | "observe", ...given: string[]) =>
      sessionPolicyOf(policies, { robot: "acme/repo-1/triager", roles: given, mode });
    expect(give("enforce", "writer").servers).toEqual({ wiki: { writes: ["public"] }, memory: {} });
    expect(Object.keys(give("observe", "writer").servers).sort()).toEqual(["github", "memory", "wiki"]);
    expect(Object.keys(give("observe").servers)).toEqual(["github"]);
    expect(give("enforce").servers).toEqual({});
  });

  it("is what travels: the wire's schema knows all of it", () => {
    const policies = load({ keys: [], files: [0, 1, 2, 3, 4] });
    const given = sessionPolicyOf(policies, { robot: "r", roles: ["reader", "writer"], mode: "observe" });
    expect(SessionPolicy.parse(JSON.parse(JSON.stringify(given)))).toEqual(given);
    expect(given.grants[1]).toEqual({
      rule: "writer#1",
      server: "wiki",
      tools: ["*"],
      when: 'args.page == "a"',
      limit: 3,
      arguments: "digest",
      inspect: { text: "pass" },
    });
    expect(given.flow).toEqual([{ rule: "writer~1", after: ["untrusted"], deny: ["public"] }]);
  });

  it("shares nothing with the documents: whoever changes it changes no other session", () => {
    const policies = policiesOf();
    const issue = () => sessionPolicyOf(policies, { robot: "r", roles: ["reader"], mode: "enforce" });
    const before = digestPolicy(issue());
    const given = issue();
    given.grants[0]?.tools?.push("*");
    given.servers["github"] = { tools: {} };
    for (const known of Object.values(given.servers)) known.reads = ["private"];
    expect(digestPolicy(issue())).toBe(before);
  });
});

describe("documents that do not load", () => {
  it("give no policies, whatever character of them is missing or one too many", () => {
    const files = filesOf({});
    const whole = files.map(({ text }) => text.length).reduce((sum, length) => sum + length, 0);
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(whole), fc.constantFrom("", "*", ":", "\n", "  ", '"', "[", "x"), (at, put) => {
        let left = at;
        const damaged = files.map(({ path, text }) => {
          const here = left >= 0 && left < text.length ? left : undefined;
          left -= text.length;
          return {
            path,
            text: here === undefined ? text : `${text.slice(0, here)}${put}${text.slice(here + 1)}`,
          };
        });
        const loaded = assemblePolicies(damaged);
        refused += loaded.ok ? 0 : 1;
        expect("policies" in loaded).toBe(loaded.ok);
        expect(loaded.ok || loaded.problems.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(50);
  });

  it("a role that is not there gives no session", () => {
    const policies = policiesOf();
    for (const role of ["constructor", "__proto__", "Reader", ""]) {
      expect(() => sessionPolicyOf(policies, { robot: "r", roles: [role], mode: "enforce" })).toThrow(
        "no role",
      );
    }
  });
});
