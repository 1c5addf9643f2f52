/**
 * What one session has used up: one count for all its agents and servers.
 * It is counted when a call is recorded, before it is forwarded, so that no parallel call can slip past.
 */
import * as z from "zod/mini";
import type { CompiledPolicy, Call, Decision, Usage } from "./decision.ts";
import { ReadLabel } from "./labels.ts";

/** It as plain data, for whoever keeps it elsewhere than in memory. */
export const UsageSnapshot = z.strictObject({
  calls: z.int(),
  rules: z.record(z.string(), z.int()),
  labels: z.array(ReadLabel),
});
export type UsageSnapshot = z.infer<typeof UsageSnapshot>;

export class SessionUsage implements Usage {
  readonly #policy: CompiledPolicy;
  readonly #callsByRule = new Map<string, number>();
  readonly #labels = new Set<ReadLabel>();
  #calls = 0;

  constructor(policy: CompiledPolicy) {
    this.#policy = policy;
  }

  get calls(): number {
    return this.#calls;
  }

  get labels(): ReadonlySet<ReadLabel> {
    return this.#labels;
  }

  callsOf(rule: string): number {
    return this.#callsByRule.get(rule) ?? 0;
  }

  snapshot(): UsageSnapshot {
    return {
      calls: this.#calls,
      rules: Object.fromEntries(this.#callsByRule),
      labels: [...this.#labels],
    };
  }

  /** As it was then; whatever was counted since is not. */
  restore({ calls, rules, labels }: UsageSnapshot): void {
    this.#calls = calls;
    this.#callsByRule.clear();
    Object.entries(rules).forEach(([rule, count]) => this.#callsByRule.set(rule, count));
    this.#labels.clear();
    labels.forEach((label) => this.#labels.add(label));
  }

  /** Labels that the session gained elsewhere. */
  addLabels(labels: Iterable<ReadLabel>): void {
    for (const label of labels) {
      this.#labels.add(label);
    }
  }

  /** Returns the labels that the session has gained by it. */
  count(call: Call, decision: Decision): readonly ReadLabel[] {
    if (decision.effect === "deny") {
      return [];
    }
    this.#calls += 1;
    if (decision.reason === "granted") {
      this.#callsByRule.set(decision.rule, this.callsOf(decision.rule) + 1);
    }
    const gained = this.#policy.labelsOf(call).filter((label) => !this.#labels.has(label));
    for (const label of gained) {
      this.#labels.add(label);
    }
    return gained;
  }
}
