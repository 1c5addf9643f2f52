/**
 * How much one server is asked for: at the same time, and within any 60 seconds. Both are exact, and what is over
 * either leaves no trace in them.
 */
import type { Limits } from "../../limits.ts";
import { Places } from "../../places.ts";

export type Overload =
  | { readonly limit: "concurrent_calls"; readonly max: number }
  | { readonly limit: "calls_per_minute"; readonly max: number; readonly retryAfterSeconds: number };

const WINDOW_MS = 60_000;

export class ServerLoad {
  readonly #limits: Pick<Limits, "maxConcurrentCalls" | "maxCallsPerMinute">;
  readonly #inWork: Places;
  /** When the last calls were let through, as many as may be; the oldest is overwritten. */
  #times: Float64Array | undefined;
  #next = 0;

  constructor(limits: Pick<Limits, "maxConcurrentCalls" | "maxCallsPerMinute">) {
    this.#limits = limits;
    this.#inWork = new Places(limits.maxConcurrentCalls);
  }

  /** One request goes to the server, whatever it asks; false when there is no place. */
  take(): boolean {
    return this.#inWork.take();
  }

  free(): void {
    this.#inWork.free();
  }

  /** What keeps one more call from being let through. */
  findOverload(now: number): Overload | undefined {
    const { maxConcurrentCalls, maxCallsPerMinute: max } = this.#limits;
    if (this.#inWork.taken >= maxConcurrentCalls) {
      return { limit: "concurrent_calls", max: maxConcurrentCalls };
    }
    const oldest = this.#times?.[this.#next];
    const waitMs = oldest === undefined ? 0 : oldest + WINDOW_MS - now;
    return waitMs > 0
      ? { limit: "calls_per_minute", max, retryAfterSeconds: Math.ceil(waitMs / 1000) }
      : undefined;
  }

  noteCall(now: number): void {
    const { maxCallsPerMinute } = this.#limits;
    if (Number.isFinite(maxCallsPerMinute)) {
      this.#times ??= new Float64Array(maxCallsPerMinute).fill(Number.NEGATIVE_INFINITY);
      this.#times[this.#next] = now;
      this.#next = (this.#next + 1) % maxCallsPerMinute;
    }
  }
}
