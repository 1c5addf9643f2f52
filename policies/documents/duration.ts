/**
 * Durations as people write them: a whole number and one unit, `90s`, `15m`, `2h`.
 */
import * as z from "zod/mini";

const secondsPerUnit = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3600],
]);

export const DURATION = /^[1-9][0-9]{0,5}[smh]$/;

export const Duration = z
  .string()
  .check(z.regex(DURATION, "expected a whole number with a unit: 90s, 15m or 2h"));

/** Seconds of a `Duration`. */
export function secondsOf(duration: string): number {
  const factor = secondsPerUnit.get(duration.slice(-1));
  const count = Number.parseInt(duration, 10);
  if (factor === undefined || Number.isNaN(count)) {
    throw new Error(`not a duration: ${duration}`);
  }
  return count * factor;
}

/** In the largest unit that leaves a whole number. */
export function writeDuration(seconds: number): string {
  const [unit, factor] =
    [...secondsPerUnit].reverse().find(([, each]) => seconds >= each && seconds % each === 0) ?? [];
  return unit === undefined || factor === undefined ? `${seconds} s` : `${seconds / factor}${unit}`;
}
