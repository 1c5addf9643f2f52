/**
 * When a server that ended is started again: later each time, and only so often within a window. What ends while a
 * restart is due is part of the same outage. Pure: `now` is passed in.
 */
import type { Limits } from "../../limits.ts";

export type Restart = { readonly ok: true; readonly afterMs: number } | { readonly ok: false };

type Bounds = Pick<Limits, "maxRestarts" | "restartWindowMs" | "restartDelayMs" | "maxRestartDelayMs">;

const GROWTH = 4;
/** Servers that ended together do not start together. */
const JITTER = 0.25;

export class RestartPlan {
  readonly #bounds: Bounds;
  /** Between 0 and 1. */
  readonly #random: () => number;
  /** When outages began, within the window. */
  #outages: number[] = [];
  #dueAt = Number.NEGATIVE_INFINITY;

  constructor(bounds: Bounds, random: () => number = Math.random) {
    this.#bounds = bounds;
    this.#random = random;
  }

  /** Restarts within the window, the one that is due among them. */
  get count(): number {
    return this.#outages.length;
  }

  noteEnd(now: number): Restart {
    const { maxRestarts, restartWindowMs, restartDelayMs, maxRestartDelayMs } = this.#bounds;
    if (now < this.#dueAt) {
      return { ok: true, afterMs: this.#dueAt - now };
    }
    this.#outages = this.#outages.filter((began) => now - began < restartWindowMs);
    if (this.#outages.length >= maxRestarts) {
      return { ok: false };
    }
    const delay = Math.min(restartDelayMs * GROWTH ** this.#outages.length, maxRestartDelayMs);
    this.#outages.push(now);
    const afterMs = delay * (1 - JITTER + 2 * JITTER * this.#random());
    this.#dueAt = now + afterMs;
    return { ok: true, afterMs };
  }
}
