/**
 * What is made of raw figures: medians, spreads and ratios of rounds, and the order in which contenders take turns.
 * Pure: it knows neither clocks nor processes.
 */

/** What the header of every table says about the figure in brackets. */
export const SPREAD = "(max - min) / median";

export interface Summary {
  readonly median: number;
  /** `SPREAD` of the rounds; null where there is only one. */
  readonly spread: number | null;
  /** As measured, in the order of the rounds. */
  readonly rounds: readonly number[];
}

export function summarize(rounds: readonly number[]): Summary {
  const middle = median(rounds);
  const spread = rounds.length < 2 ? null : (Math.max(...rounds) - Math.min(...rounds)) / middle;
  return { median: middle, spread, rounds };
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const ascending = values.toSorted((a, b) => a - b);
  const upper = ascending[Math.floor(ascending.length / 2)];
  const lower = ascending[Math.ceil(ascending.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError("there is no median of no values");
  return (lower + upper) / 2;
}

/** Of the line through values that stand one step apart, by least squares. */
export function fitSlope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const rise = values.reduce((sum, value, step) => sum + (step - middle) * (value - mean), 0);
  return rise / values.reduce((sum, _, step) => sum + (step - middle) ** 2, 0);
}

/** Nearest rank: the smallest sample that at least `fraction` of all samples do not exceed. */
export function percentile(ascending: Float64Array, fraction: number): number {
  const sample = ascending[Math.max(0, Math.ceil(ascending.length * fraction) - 1)];
  if (sample === undefined) throw new RangeError("there is no percentile of no samples");
  return sample;
}

/** Round by round, so that what slowed a whole round down stands above and below the line. */
export function ratiosByRound(numerators: readonly number[], denominators: readonly number[]): number[] {
  if (numerators.length !== denominators.length) {
    throw new RangeError(`${numerators.length} rounds cannot be compared with ${denominators.length}`);
  }
  return numerators.map((numerator, round) => numerator / (denominators[round] ?? Number.NaN));
}

/** The same items, starting `by` places later: over as many rounds as items, each is first once. */
export function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

export interface Turns<Contender, Measured> {
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  /** One measurement; nothing else runs meanwhile. Round 0 is the warm-up. */
  measure(contender: Contender, round: number): Promise<Measured>;
}

/** One warm-up round that is thrown away, then the rounds; in each, every contender once, in rotated order. */
export async function interleave<Contender, Measured>(
  turns: Turns<Contender, Measured>,
): Promise<Map<Contender, Measured[]>> {
  const measured = new Map<Contender, Measured[]>(turns.contenders.map((contender) => [contender, []]));
  for (let round = 0; round <= turns.rounds; round += 1) {
    for (const contender of rotate(turns.contenders, round)) {
      const value = await turns.measure(contender, round);
      if (round > 0) measured.get(contender)?.push(value);
    }
  }
  return measured;
}
