/**
 * Summaries of runs, remembered for half a minute: a list of 25 runs reads 25 logs, and is looked at again and again.
 */
import type { RunSummary } from "./view.ts";

const GOOD_FOR_MS = 30_000;
const MAX_REMEMBERED = 1_000;

type Reading = Promise<RunSummary | undefined>;

export class RecentSummaries {
  readonly #readings = new Map<string, { until: number; reading: Reading }>();
  readonly #now: () => number;

  /** `now` gives milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Reads at most once at a time and once in half a minute; a reading that failed is forgotten. */
  async get(run: string, read: () => Reading): Reading {
    const known = this.#readings.get(run);
    if (known !== undefined && known.until > this.#now()) {
      return known.reading;
    }
    const reading = read();
    this.#readings.delete(run);
    this.#readings.set(run, { until: this.#now() + GOOD_FOR_MS, reading });
    const [oldest] = this.#readings.keys();
    if (this.#readings.size > MAX_REMEMBERED && oldest !== undefined) {
      this.#readings.delete(oldest);
    }
    try {
      return await reading;
    } catch (cause) {
      this.#readings.delete(run);
      throw cause;
    }
  }
}
