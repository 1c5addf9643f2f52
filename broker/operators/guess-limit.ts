/**
 * A bound on guesses: after too many wrong tokens from one address in a minute, it has to wait.
 * Tokens cannot be guessed anyway; this keeps a flood of guesses away from the database.
 */

const WINDOW_MS = 60_000;
const MAX_FAILURES = 10;
/** Addresses remembered at once; beyond that the oldest are forgotten. */
const MAX_ADDRESSES = 10_000;

export class GuessLimit {
  readonly #failures = new Map<string, { count: number; until: number }>();
  readonly #now: () => number;

  /** `now` gives milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Seconds this address has to wait before its next try; 0 when it may try now. */
  secondsToWait(address: string): number {
    const failures = this.#failures.get(address);
    if (failures === undefined || failures.count < MAX_FAILURES) {
      return 0;
    }
    return Math.max(0, Math.ceil((failures.until - this.#now()) / 1000));
  }

  noteFailure(address: string): void {
    const now = this.#now();
    const known = this.#failures.get(address);
    const open = known !== undefined && known.until > now;
    this.#failures.delete(address);
    this.#failures.set(address, {
      count: open ? known.count + 1 : 1,
      until: open ? known.until : now + WINDOW_MS,
    });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) {
      this.#failures.delete(oldest);
    }
  }
}
