/**
 * What one session has used up: one count for all its agents and servers.
 * It is counted when a call is recorded, before it is forwarded, so that no parallel call can slip past.
 */
import type { CompiledPolicy, Call, Decision, Usage } from "./decision.ts";
import type { ReadLabel } from "./labels.ts";

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
