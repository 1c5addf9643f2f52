/** What holds of every policy and every sequence of calls. */
import fc from "../support/properties.ts";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../policies/compilation.ts";
import type { CompiledPolicy, Usage } from "../../policies/decision.ts";
import { SessionPolicy } from "../../policies/session-policy.ts";
import { SessionUsage } from "../../policies/usage.ts";
import { calls, grants, policies, policyOf } from "./random-policies.ts";
import { decideNaively, isNamed, type Past, readBy, type Reference } from "./reference-policy.ts";

const compile = ({ source, claims }: Reference): Promise<CompiledPolicy> => compilePolicy(source, { claims });

describe("a compiled policy", () => {
  it("decides every call of a session as a naive reading of the source and the history does", async () => {
    const seen = new Set<string>();
    const reasons = [
      "condition_error",
      "condition_false",
      "flow",
      "granted",
      "limit_reached",
      "no_grant",
      "observed",
    ];
    const property = fc.asyncProperty(
      policies,
      fc.array(calls, { minLength: 1, maxLength: 25 }),
      async ({ grants: given, rest }, sequence) => {
        const reference = policyOf(given, rest);
        const policy = await compile(reference);
        const usage = new SessionUsage(policy);
        const history: Past[] = [];
        for (const call of sequence) {
          const decision = policy.decide(call, usage);
          expect(decision).toEqual(decideNaively(reference, history, call));
          seen.add(decision.reason);
          usage.count(call, decision);
          history.push({ call, decision });
          const passed = history.filter((past) => past.decision.effect === "allow");
          expect(usage.calls).toBe(passed.length);
          expect(usage.labels).toEqual(
            new Set(passed.flatMap((past) => readBy(reference.source, past.call))),
          );
        }
      },
    );
    // Until each reason was met: otherwise it would have looked at nothing.
    for (let round = 1; round <= 10 && seen.size < reasons.length; round += 1) {
      await fc.assert(property, { numRuns: 600 });
    }
    expect([...seen].sort()).toEqual(reasons);
  });

  it("shows what a grant names, as long as no flow rule has taken it", async () => {
    await fc.assert(
      fc.asyncProperty(
        policies,
        fc.array(calls, { maxLength: 10 }),
        async ({ grants: given, rest }, sequence) => {
          const reference = policyOf(given, rest);
          const policy = await compile(reference);
          const usage = new SessionUsage(policy);
          for (const call of sequence) {
            const decision = policy.decide(call, usage);
            const { visible } = policy.show(call, usage.labels);
            const first = reference.source.grants.find((grant) => isNamed(grant, call, reference.claims));
            const denial = decision.reason === "observed" ? decision.instead : decision;
            const taken = denial.reason === "flow" || denial.reason === "no_grant";
            expect(visible).toBe(!taken || decision.reason === "observed");
            expect(first === undefined).toBe(denial.reason === "no_grant");
            usage.count(call, decision);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("with one more grant never allows less", async () => {
    const usages = fc
      .record({
        calls: fc.nat(4),
        used: fc.nat(3),
        labels: fc.subarray<"untrusted" | "private">(["untrusted", "private"]),
      })
      .map(
        ({ calls: count, used, labels }): Usage => ({
          calls: count,
          callsOf: () => used,
          labels: new Set(labels),
        }),
      );
    await fc.assert(
      fc.asyncProperty(
        policies,
        grants,
        usages,
        fc.array(calls, { minLength: 1, maxLength: 15 }),
        async ({ grants: given, rest }, added, usage, sequence) => {
          const before = await compile(policyOf(given, rest));
          const after = await compile(policyOf([...given, added], rest));
          for (const call of sequence) {
            const decision = before.decide(call, usage);
            if (decision.effect === "allow") {
              expect(after.decide(call, usage).effect).toBe("allow");
            }
            if (decision.reason === "granted") {
              expect(after.decide(call, usage)).toEqual(decision);
            }
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("decides the same after its source went through the wire", async () => {
    await fc.assert(
      fc.asyncProperty(policies, calls, async ({ grants: given, rest }, call) => {
        const { source, claims } = policyOf(given, rest);
        const sent = SessionPolicy.parse(JSON.parse(JSON.stringify(source)));
        const [here, there] = [
          await compilePolicy(source, { claims }),
          await compilePolicy(sent, { claims }),
        ];
        const usage = new SessionUsage(here);
        expect(there.digest).toBe(here.digest);
        expect(there.decide(call, usage)).toEqual(here.decide(call, usage));
      }),
      { numRuns: 100 },
    );
  });
});
