/**
 * Counts the calls of a log, and their results, as its seal states them.
 */
import type { Entry, Totals } from "../record.ts";

const NOTHING: Totals = { calls: 0, allowed: 0, denied: 0, failed: 0 };

export class Tally {
  #calls: number;
  #allowed: number;
  #failed: number;

  /** Goes on counting from there. */
  constructor({ calls, allowed, failed }: Totals = NOTHING) {
    this.#calls = calls;
    this.#allowed = allowed;
    this.#failed = failed;
  }

  add(entry: Entry): void {
    if (entry.kind === "call") {
      this.#calls += 1;
      this.#allowed += entry.decision === "allow" ? 1 : 0;
    } else if (entry.kind === "result") {
      this.#failed += entry.outcome === "ok" ? 0 : 1;
    }
  }

  totals(): Totals {
    const denied = this.#calls - this.#allowed;
    return { calls: this.#calls, allowed: this.#allowed, denied, failed: this.#failed };
  }
}
