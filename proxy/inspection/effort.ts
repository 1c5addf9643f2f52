/**
 * What it may cost to inspect one message, counted and not timed: the same message costs the same on every machine. A
 * message that would cost more is not inspected to its end, and goes no further: nobody else waits for it.
 */

/** About 100 ns each, in the worst case. */
export const MAX_UNITS = 1_250_000;

/** Of the parts of a message, what each costs. */
export const COST = {
  /** One string, however short. */
  string: 4,
  /** A place where something invisible may be, and one where a secret may begin: most are nothing. */
  hiddenPlace: 4,
  secretPlace: 20,
  /** What is taken out or replaced, each time. */
  change: 40,
} as const;

/** A message costs more than any honest one does. */
export class TooMuchToInspect extends Error {}

export class Effort {
  #left = MAX_UNITS;

  /** Throws `TooMuchToInspect`. */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new TooMuchToInspect("too much to inspect");
  }
}
