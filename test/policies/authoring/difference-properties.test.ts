/** What "nothing is gained" promises, tried on random policies: no row of calls passes that did not pass before. */
import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { comparePolicies } from "../../../policies/authoring/difference.ts";
import { openRehearsal } from "../../../policies/authoring/rehearsal.ts";
import { claimsOfRun } from "../../../policies/authoring/run-fixture.ts";
import { matchBinding } from "../../../policies/binding/binding.ts";
import type { Call } from "../../../policies/decision.ts";
import type { Binding } from "../../../policies/documents/robots-document.ts";
import type { Grant, Role } from "../../../policies/documents/roles-document.ts";
import type { ServerEntry } from "../../../policies/documents/servers-document.ts";
import { type Policies, repositoryKey } from "../../../policies/policies.ts";
import { issuer } from "../fixtures.ts";

const roleNames = ["one", "two", "three"];
const serverNames = ["alpha", "beta"];

const grant = fc.record(
  {
    server: fc.constantFrom(...serverNames),
    tools: fc.uniqueArray(fc.constantFrom("a", "ab", "b", "a*", "ab*", "*"), { minLength: 1, maxLength: 3 }),
    resources: fc.uniqueArray(
      fc.constantFrom("u:a", "u:a/*", "u:*", "u:{run.repository}/*", "u:{run.environment}/x", "u:a/../b"),
      { minLength: 1, maxLength: 2 },
    ),
    when: fc.constantFrom(
      "args.x == 1",
      "args.x == 1 || args.x == 2",
      "session.calls < 2",
      'robot == "acme/payments/r"',
    ),
    limit: fc.record({ calls: fc.integer({ min: 1, max: 3 }) }),
  },
  { requiredKeys: ["server"] },
);

const role: fc.Arbitrary<Role> = fc.record(
  {
    grants: fc.array(grant, { minLength: 1, maxLength: 4 }),
    flow: fc.constant([{ after: ["untrusted" as const], deny: ["public" as const] }]),
  },
  { requiredKeys: ["grants"] },
);

const labels = {
  reads: fc.constantFrom<("untrusted" | "private")[]>([], ["untrusted"], ["private"]),
  writes: fc.constantFrom<"public"[]>([], ["public"]),
};
const server: fc.Arbitrary<ServerEntry> = fc.record(
  {
    url: fc.constant("https://mcp.example.com/mcp"),
    ...labels,
    tools: fc.dictionary(
      fc.constantFrom("a", "ab", "b"),
      fc.record({ ...labels, read_only: fc.boolean() }, { requiredKeys: [] }),
    ),
  },
  { requiredKeys: ["url"] },
);

const binding: fc.Arbitrary<Binding> = fc.record(
  {
    workflow: fc.constantFrom(".github/workflows/a.yml", ".github/workflows/b.yml"),
    events: fc.uniqueArray(fc.constantFrom("push", "schedule"), { minLength: 1 }),
    ref: fc.constantFrom("refs/heads/main", "refs/heads/dev"),
    environment: fc.constantFrom("agents", "production"),
    roles: fc.shuffledSubarray(roleNames, { minLength: 1 }),
    mode: fc.constantFrom("enforce" as const, "observe" as const),
  },
  { requiredKeys: ["workflow", "events", "ref", "roles"] },
);

const lock = fc.option(
  fc.dictionary(
    fc.constantFrom(...serverNames),
    fc.record({
      tools: fc.dictionary(fc.constantFrom("a", "ab", "b"), fc.constantFrom("0".repeat(64), "1".repeat(64))),
    }),
  ),
  { nil: undefined, freq: 4 },
);

interface Plain {
  servers: Record<string, ServerEntry>;
  roles: Record<string, Role>;
  bindings: Binding[];
  lock: Record<string, { tools: Record<string, string> }> | undefined;
}

const plain: fc.Arbitrary<Plain> = fc.record({
  servers: fc.record({ alpha: server, beta: server }),
  roles: fc.record({ one: role, two: role, three: role }),
  bindings: fc.array(binding, { minLength: 1, maxLength: 3 }),
  lock,
});

/** Small edits, as people make them: many of them take something away, or change nothing. */
const edit = fc.oneof(
  fc.record({
    kind: fc.constant("remove grant" as const),
    role: fc.constantFrom(...roleNames),
    at: fc.nat(3),
  }),
  fc.record({ kind: fc.constant("add grant" as const), role: fc.constantFrom(...roleNames), grant }),
  fc.record({ kind: fc.constant("move grant" as const), role: fc.constantFrom(...roleNames), at: fc.nat(3) }),
  fc.record({
    kind: fc.constant("limit" as const),
    role: fc.constantFrom(...roleNames),
    at: fc.nat(3),
    calls: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant("condition" as const), role: fc.constantFrom(...roleNames), at: fc.nat(3) }),
  fc.record({
    kind: fc.constant("drop pattern" as const),
    role: fc.constantFrom(...roleNames),
    at: fc.nat(3),
  }),
  fc.record({ kind: fc.constant("flow" as const), role: fc.constantFrom(...roleNames) }),
  fc.record({
    kind: fc.constant("roles" as const),
    at: fc.nat(2),
    roles: fc.shuffledSubarray(roleNames, { minLength: 1 }),
  }),
  fc.record({ kind: fc.constant("bindings" as const) }),
  fc.record({
    kind: fc.constant("server" as const),
    name: fc.constantFrom("alpha" as const, "beta" as const),
    server,
  }),
  fc.record({ kind: fc.constant("lock" as const), lock }),
);
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function apply(from: Plain, edits: readonly Edit[]): Plain {
  const to = structuredClone(from);
  for (const each of edits) {
    const found = "role" in each ? to.roles[each.role] : undefined;
    const chosen: Grant | undefined = "at" in each ? found?.grants[each.at] : undefined;
    if (each.kind === "remove grant" && found && found.grants.length > 1) found.grants.splice(each.at, 1);
    if (each.kind === "add grant") found?.grants.push(each.grant);
    if (each.kind === "move grant" && found) found.grants.push(...found.grants.splice(each.at, 1));
    if (each.kind === "limit" && chosen) chosen.limit = { calls: each.calls };
    if (each.kind === "condition" && chosen) chosen.when ??= "args.x == 1";
    if (each.kind === "drop pattern" && chosen?.tools && chosen.tools.length > 1) chosen.tools.pop();
    if (each.kind === "flow" && found) found.flow = [{ after: ["untrusted"], deny: ["public"] }];
    if (each.kind === "roles" && to.bindings[each.at]) to.bindings[each.at]!.roles = each.roles;
    if (each.kind === "bindings") to.bindings.reverse();
    if (each.kind === "server") to.servers[each.name] = each.server;
    if (each.kind === "lock") to.lock = each.lock;
  }
  return to;
}

const repository = { issuer, name: "acme/payments", id: "456789", ownerId: "123456" };

function policiesOf({ servers, roles, bindings, lock: locked }: Plain): Policies {
  const robots = new Map([["r", { bindings }]]);
  return {
    servers: new Map(Object.entries(servers)),
    credentials: new Map(),
    roles: new Map(Object.entries(roles)),
    repositories: new Map([
      [repositoryKey(issuer, "456789"), { ...repository, file: "robots/acme/payments.yaml", robots }],
    ]),
    lock: locked && new Map(Object.entries(locked)),
  };
}

const call: fc.Arbitrary<Call> = fc
  .record({
    server: fc.constantFrom(...serverNames),
    target: fc.constantFrom(
      ...["a", "ab", "abc", "b"].map((name) => ({ kind: "tool" as const, name })),
      ...["u:a", "u:a/b", "u:acme/payments/x", "u:agents/x", "u:a/../b"].map((name) => ({
        kind: "resource" as const,
        name,
      })),
    ),
    x: fc.constantFrom(1, 2, 3),
  })
  .map(({ server: on, target, x }) => ({ server: on, ...target, args: { x }, agent: "agent" }));

const run = fc.record({
  workflow: fc.constantFrom(".github/workflows/a.yml", ".github/workflows/b.yml"),
  event: fc.constantFrom("push", "schedule"),
  ref: fc.constantFrom("refs/heads/main", "refs/heads/dev"),
  environment: fc.constantFrom(undefined, "agents", "production", "another"),
  runner: fc.constant("github-hosted"),
});

describe("the difference of two random policies", () => {
  it("that shows no gain lets no row of calls pass that the policy before denies", async () => {
    let [unlike, passed] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        plain,
        fc.array(edit, { maxLength: 3 }),
        fc.array(fc.tuple(run, fc.array(call, { minLength: 4, maxLength: 16 })), {
          minLength: 4,
          maxLength: 8,
        }),
        async (from, edits, rows) => {
          const [before, after] = [policiesOf(from), policiesOf(apply(from, edits))];
          const difference = comparePolicies(before, after);
          if (difference.hasGains) return;
          unlike += difference.changes.length > 0 ? 1 : 0;
          for (const [shape, calls] of rows) {
            const read = claimsOfRun(shape, repository);
            if (!read.ok) throw new Error(read.message);
            const [was, is] = [before, after].map((side) => matchBinding(side, read.claims, { robot: "r" }));
            if (!is?.ok) continue;
            const now = await openRehearsal(after, { ...is, claims: read.claims });
            const then = was?.ok ? await openRehearsal(before, { ...was, claims: read.claims }) : undefined;
            for (const each of calls) {
              if (now.play(each).effect === "deny") continue;
              passed += 1;
              expect(then?.play(each)).toMatchObject({ effect: "allow" });
            }
          }
        },
      ),
      { numRuns: 500 },
    );
    // A comparison that always finds a gain, or calls that never pass, would show nothing.
    expect(unlike).toBeGreaterThan(10);
    expect(passed).toBeGreaterThan(100);
  }, 120_000);

  it("of a policy with itself is none, whatever the order of its maps", async () => {
    await fc.assert(
      fc.asyncProperty(plain, async (from) => {
        const reversed = {
          ...from,
          servers: Object.fromEntries(Object.entries(from.servers).reverse()),
          roles: Object.fromEntries(Object.entries(from.roles).reverse()),
        };
        expect(comparePolicies(policiesOf(from), policiesOf(reversed)).changes).toEqual([]);
      }),
    );
  });
});
