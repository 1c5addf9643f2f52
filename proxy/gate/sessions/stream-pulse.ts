/**
 * Keeps a stream open that belongs to no call: a comment now and then, so that nobody between takes it for dead, until
 * the server has said nothing on it for too long.
 */
import type { Limits } from "../../limits.ts";

export type PulseBounds = Pick<Limits, "keepAliveMs" | "streamIdleMs">;

export interface PulseEvents {
  beat(): void;
  /** At a beat: so much later than the limit at most. */
  idle(): void;
}

export class StreamPulse {
  readonly #timer: NodeJS.Timeout;
  #heardAt = performance.now();

  constructor({ keepAliveMs, streamIdleMs }: PulseBounds, events: PulseEvents) {
    const beat = (): void => {
      if (performance.now() - this.#heardAt < streamIdleMs) {
        events.beat();
      } else {
        events.idle();
      }
    };
    this.#timer = setInterval(beat, Math.min(keepAliveMs, streamIdleMs)).unref();
  }

  heard(): void {
    this.#heardAt = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
