/** What every bench is given, what it measures, and how that becomes a report. */
import { SPREAD } from "./measurement.ts";
import { choosePinning, describePinning, type Pinning, pinSelf } from "./pinning.ts";
import { describeMachine, type Figure, type Report } from "./report.ts";

export interface BenchOptions {
  /** Measured rounds, after one that warms up. */
  readonly rounds: number;
  /** Calls of each measurement; undefined: enough for a second or two. */
  readonly calls: number | undefined;
  /** Whether what is fetched from npm takes part, where the bench has such. */
  readonly peers: boolean;
  /** What the report has to say beside its figures: a contender that failed, and where. */
  note(line: string): void;
  /** One line for people who wait; never a figure's only place. */
  progress(line: string): void;
}

export interface Bench {
  readonly name: string;
  /** One sentence for `--help` and the head of the table. */
  readonly summary: string;
  /** Whether `calls` changes anything. */
  readonly measuresCalls: boolean;
  /** Whether `peers` changes anything. */
  readonly hasPeers?: boolean;
  /** What a reader of the figures has to know. */
  readonly notes: readonly string[];
  measure(options: BenchOptions & { readonly pinning: Pinning }): Promise<Figure[]>;
}

/** A wrong answer, or what the bench needs and did not find: the sentence is for the person who started it. */
export class BenchFailed extends Error {
  override readonly name = "BenchFailed";
}

export async function runBench(bench: Bench, given: Omit<BenchOptions, "note">): Promise<Report> {
  const noted: string[] = [];
  const options: BenchOptions = { ...given, note: (line) => noted.push(line) };
  const machine = describeMachine();
  const pinning = await choosePinning();
  options.progress(describePinning(pinning));
  await pinSelf(pinning);
  const figures = await bench.measure({ ...options, pinning });
  const { name, summary, notes } = bench;
  return {
    ...{ bench: name, summary, machine, pinning, rounds: options.rounds, spread: SPREAD, figures },
    notes: [...noted, ...notes],
  };
}
