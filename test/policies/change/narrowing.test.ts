/** A session that lost something: it never gets more than it had, and nothing that the documents no longer give. */
import fc from "../../support/properties.ts";
import { describe, expect, test } from "vitest";
import { describeLoss } from "../../../policies/change/loss.ts";
import { narrowPolicy } from "../../../policies/change/narrowing.ts";
import { compilePolicy } from "../../../policies/compilation.ts";
import type { Call, Usage } from "../../../policies/decision.ts";
import type { ReadLabel } from "../../../policies/labels.ts";
import type { ServerFacts, SessionGrant, SessionPolicy } from "../../../policies/session-policy.ts";

const everySame = { isSameServer: () => true };

const policy = (parts: Partial<SessionPolicy>): SessionPolicy => ({
  v: 1,
  robot: "acme/payments/triager",
  roles: ["a", "b"],
  mode: "enforce",
  grants: [],
  flow: [],
  servers: { one: {}, two: {} },
  ...parts,
});
const grant = (rule: string, parts: Partial<SessionGrant> = {}): SessionGrant => ({
  rule,
  server: "one",
  tools: ["get", "put"],
  ...parts,
});

describe("what a running session keeps", () => {
  test("everything, as the same value, where the documents still give it, in whatever order", () => {
    const held = policy({ grants: [grant("a#1"), grant("a#2", { tools: ["list_*"], when: "args.n == 1" })] });
    const present = policy({
      grants: [grant("a#1", { tools: ["list_*"], when: "args.n == 1" }), grant("a#2"), grant("b#1")],
    });
    expect(narrowPolicy({ held, present, ...everySame })).toBe(held);
  });

  test("a grant whose condition, limit or audit changed is gone; one that lost a tool keeps the others", () => {
    const held = policy({
      grants: [
        grant("a#1", { when: "args.n == 1" }),
        grant("a#2", { tools: ["push"], limit: 3 }),
        grant("a#3", { tools: ["read"], arguments: "digest" }),
        grant("a#4", { resources: ["repo://x/*"], prompts: ["review"] }),
        grant("a#5", { tools: ["raw"], inspect: { text: "pass" } }),
        grant("a#6", { tools: ["raw"], asks: ["elicitation", "logging"] }),
      ],
    });
    const present = policy({
      grants: [
        grant("a#1", { when: "args.n == 2" }),
        grant("a#2", { tools: ["push"], limit: 4 }),
        grant("a#3", { tools: ["read"] }),
        grant("a#4", { tools: ["get"], resources: ["repo://x/*"] }),
        grant("a#5", { tools: ["raw"], inspect: { text: "clean" } }),
        grant("a#6", { tools: ["raw"], asks: ["logging"] }),
      ],
    });
    const narrowed = narrowPolicy({ held, present, ...everySame });
    expect(narrowed.grants).toEqual([
      { rule: "a#4", server: "one", tools: ["get"], resources: ["repo://x/*"] },
      { rule: "a#6", server: "one", tools: ["raw"], asks: ["logging"] },
    ]);
    expect(describeLoss(held, narrowed)).toEqual([
      ...["a#1", "a#2", "a#3", "a#4 put", "a#4 review", "a#5", "a#6 elicitation"],
    ]);
  });

  test("what another role gives now does not stand in for what this one gave", () => {
    const held = policy({ grants: [grant("a#1")] });
    const present = policy({ grants: [grant("b#1")] });
    expect(narrowPolicy({ held, present, ...everySame }).grants).toEqual([]);
  });

  test("a server that the registry means another by now is lost with all of its grants", () => {
    const held = policy({ grants: [grant("a#1"), grant("a#2", { server: "two" })] });
    const narrowed = narrowPolicy({ held, present: held, isSameServer: (name) => name === "two" });
    expect(narrowed.grants.map(({ rule }) => rule)).toEqual(["a#2"]);
    expect(Object.keys(narrowed.servers)).toEqual(["two"]);
  });

  test("flow rules of before and of now both hold, each under a name of its own", () => {
    const held = policy({ flow: [{ rule: "a~1", after: ["private"], deny: ["public"] }] });
    const present = policy({ flow: [{ rule: "a~1", after: ["untrusted"], deny: ["public"] }] });
    const narrowed = narrowPolicy({ held, present, ...everySame });
    expect(narrowed.flow.map(({ rule, after }) => [rule, after])).toEqual([
      ["a~1", ["private"]],
      ["a~2", ["untrusted"]],
    ]);
    expect(narrowPolicy({ held: narrowed, present, ...everySame })).toBe(narrowed);
    expect(describeLoss(held, narrowed)).toEqual(["a~2 (new)"]);
  });

  test("of a tool's definition, what both locks hold; a lock that is new counts, one that is gone still does", () => {
    const [d1, d2] = ["1".repeat(64), "2".repeat(64)];
    const locked = (lock: ServerFacts["lock"]) =>
      policy({ servers: { one: lock === undefined ? {} : { lock } }, grants: [grant("a#1")] });
    const lockOf = (held: ServerFacts["lock"], present: ServerFacts["lock"]) =>
      narrowPolicy({ held: locked(held), present: locked(present), ...everySame }).servers["one"]?.lock;
    const held = { instructions: d1, tools: { get: d1, put: d1 } };
    expect(lockOf(held, { instructions: d2, tools: { get: d1, put: d2, more: d1 } })).toEqual({
      tools: { get: d1 },
    });
    expect(lockOf(undefined, held)).toEqual(held);
    expect(lockOf(held, undefined)).toEqual(held);
  });
});

const subset = <T>(...values: T[]) =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength: values.length });
const some = <T>(...values: T[]) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: values.length });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const names = ["get", "put", "list_a", "constructor"];
const facts = fc
  .record({
    reads: optional(subset<ReadLabel>("untrusted", "private")),
    writes: optional(subset("public" as const)),
    tools: optional(
      fc.dictionary(
        fc.constantFrom(...names),
        fc
          .record({
            read_only: optional(fc.boolean()),
            reads: optional(subset<ReadLabel>("untrusted", "private")),
            writes: optional(subset("public" as const)),
          })
          .map(withoutUndefined),
      ),
    ),
  })
  .map(withoutUndefined);
const servers = fc.record({ one: facts, two: facts }, { requiredKeys: [] }).map(withoutUndefined);
const grants = fc
  .array(
    fc.record({
      role: fc.constantFrom("a", "b"),
      server: fc.constantFrom("one", "two"),
      tools: some("get", "put", "list_*", "*"),
      resources: optional(some("repo://x/*", "repo://y")),
      prompts: optional(some("get", "list_*")),
      asks: optional(fc.subarray(["sampling", "logging"] as const, { minLength: 1 })),
      when: optional(fc.constantFrom("args.n == 1", "session.calls < 2", "args.missing == 1")),
    }),
    { maxLength: 6 },
  )
  .map((listed) =>
    listed.map(({ role, ...rest }, index) => withoutUndefined({ rule: `${role}#${index + 1}`, ...rest })),
  );
const flow = fc
  .array(subset<ReadLabel>("untrusted", "private"), { maxLength: 3 })
  .map((rules) =>
    rules.map((after, index) => ({ rule: `a~${index + 1}`, after, deny: ["public" as const] })),
  );
const policies: fc.Arbitrary<SessionPolicy> = fc
  .record({ mode: fc.constantFrom("enforce" as const, "observe" as const), grants, flow, servers })
  .map((parts) => {
    const reached = new Set([...parts.grants.map(({ server }) => server), ...Object.keys(parts.servers)]);
    const known = Object.fromEntries([...reached].map((name) => [name, parts.servers[name as "one"] ?? {}]));
    return policy({ ...parts, servers: known });
  });
/** Documents before and after an edit: some grants stay, others come. */
const edits = fc
  .tuple(policies, policies, fc.infiniteStream(fc.boolean()))
  .map(([held, other, stays]): [SessionPolicy, SessionPolicy] => {
    const kept = held.grants.filter(() => stays.next().value);
    const added = other.grants.map((each) => ({ ...each, rule: each.rule.replace("#", "#1") }));
    const present = { ...other, servers: { ...held.servers, ...other.servers }, grants: [...kept, ...added] };
    return [held, present];
  });
const calls: fc.Arbitrary<Call> = fc
  .record({
    server: fc.constantFrom("one", "two"),
    kind: fc.constantFrom("tool" as const, "resource" as const, "prompt" as const, "ask" as const),
    name: fc.constantFrom(...names, "sampling", "logging", "repo://x/1", "repo://y", "repo://x/../y"),
    n: fc.constantFrom(0, 1),
  })
  .map(({ n, ...target }) => ({ ...target, args: { n }, agent: "agent" }));
const usages: fc.Arbitrary<Usage> = fc
  .record({ calls: fc.nat(3), labels: subset<ReadLabel>("untrusted", "private") })
  .map(({ calls, labels }) => ({ calls, labels: new Set(labels), callsOf: () => 0 }));

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

const claims = { claims: {} };

describe("for random documents before and after, random calls and whatever was read", () => {
  test("a narrowed policy allows and shows nothing that either of them denies, and narrowing again changes nothing", async () => {
    let allowed = 0;
    await fc.assert(
      fc.asyncProperty(
        edits,
        fc.array(fc.tuple(calls, usages), { minLength: 10, maxLength: 30 }),
        async ([held, present], attempts) => {
          const left = narrowPolicy({ held, present, ...everySame });
          const [before, now, narrowed] = await Promise.all(
            [held, present, left].map((each) => compilePolicy(each, claims)),
          );
          for (const [call, usage] of attempts) {
            if (narrowed?.decide(call, usage).effect === "allow") {
              allowed += 1;
              expect(before?.decide(call, usage).effect).toBe("allow");
              expect(now?.decide(call, usage).effect).toBe("allow");
            }
            if (narrowed?.show(call, usage.labels).visible === true) {
              expect(before?.show(call, usage.labels).visible).toBe(true);
              expect(now?.show(call, usage.labels).visible).toBe(true);
            }
            if (narrowed?.reaches(call.server) === true) {
              const labels = [...(before?.labelsOf(call) ?? []), ...(now?.labelsOf(call) ?? [])];
              expect(new Set(narrowed.labelsOf(call))).toEqual(new Set(labels));
            }
          }
          expect(narrowPolicy({ held: left, present, ...everySame })).toBe(left);
        },
      ),
      { numRuns: 300 },
    );
    expect(allowed).toBeGreaterThan(0);
  });

  test("what did not change is kept whole", () => {
    fc.assert(
      fc.property(policies, (held) => {
        expect(narrowPolicy({ held, present: structuredClone(held), ...everySame })).toEqual(held);
      }),
    );
  });
});
