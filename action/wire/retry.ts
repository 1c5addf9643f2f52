/**
 * Trying again: pauses that double and are spread at random, until an attempt settles the matter or time is up.
 */
import { setTimeout as sleep } from "node:timers/promises";

export type Attempt<T> =
  | { readonly settled: true; readonly value: T }
  /** Worth another attempt; `reason` is what is said when there is none. */
  | { readonly settled: false; readonly reason: string };

export interface Patience {
  /** No attempt starts after it, by `performance.now()`: a clock that nobody can set back. */
  readonly untilMs: number;
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
  readonly signal?: AbortSignal;
  /** Told of each attempt that failed and will be followed by another. */
  readonly onRetry?: (reason: string) => void;
}

export class PatienceExhausted extends Error {
  readonly code = "patience_exhausted";
}

/** Throws `PatienceExhausted` with the last reason, or what `attempt` throws. */
export async function retry<T>(attempt: () => Promise<Attempt<T>>, patience: Patience): Promise<T> {
  for (let pauseMs = patience.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, patience.maxPauseMs)) {
    const outcome = await attempt();
    if (outcome.settled) return outcome.value;
    const jittered = pauseMs * (0.5 + Math.random());
    if (patience.signal?.aborted === true || performance.now() + jittered > patience.untilMs) {
      throw new PatienceExhausted(outcome.reason);
    }
    patience.onRetry?.(outcome.reason);
    try {
      await sleep(jittered, undefined, patience.signal === undefined ? {} : { signal: patience.signal });
    } catch {
      throw new PatienceExhausted(outcome.reason);
    }
  }
}
