/** The figures of the exchange bench, with what is compared within a round and what is hoped for. Pure. */
import { median, ratiosByRound, summarize } from "./measurement.ts";
import { type Figure, type Goal, RATIO } from "./report.ts";

export const NAMES = {
  bare: "bare node:http",
  oidc: "oidc-provider",
  sqlite: "Lanyard, SQLite",
  postgres: "Lanyard, PostgreSQL",
  slow: "Lanyard, SQLite + 2 ms",
} as const;

const measures = [
  { name: "exchanges per second", unit: "1/s" },
  { name: "latency p50", unit: "ms" },
  { name: "latency p99", unit: "ms" },
  { name: "CPU per exchange", unit: "µs" },
  { name: "core in use", unit: "%" },
] as const;
export type Measured = Readonly<Partial<Record<(typeof measures)[number]["name"], number>>>;

/** The goals are of exchanges per second. */
const comparisons = [
  { of: NAMES.sqlite, to: NAMES.bare, atLeast: 0.7 },
  { of: NAMES.postgres, to: NAMES.bare, atLeast: 0.6 },
  { of: NAMES.sqlite, to: NAMES.oidc, atLeast: 1.3 },
  { of: NAMES.postgres, to: NAMES.oidc, atLeast: 1.3 },
] as const;
/** With a disk that adds two milliseconds to each commit: "thousands". */
const SLOW_GOAL = 1_000;

const atLeast = (bound: number, value: number): Goal => ({ at_least: bound, met: value >= bound });

/** By the name of the contender, round by round. */
export function loadFigures(rounds: ReadonlyMap<string, readonly Measured[]>): Figure[] {
  const plain = measures.flatMap(({ name: measure, unit }) =>
    [...rounds].flatMap(([subject, measured]): Figure[] => {
      const values = measured.flatMap((each) => each[measure] ?? []);
      if (values.length === 0) return [];
      const summary = summarize(values);
      const line = { table: "token endpoint", case: "", measure, unit, subject, ...summary };
      const hasGoal = measure === "exchanges per second" && subject === NAMES.slow;
      return [hasGoal ? { ...line, goal: atLeast(SLOW_GOAL, summary.median) } : line];
    }),
  );
  const compared = measures.flatMap(({ name: measure, unit }) =>
    comparisons.flatMap(({ of, to, atLeast: bound }): Figure[] => {
      const [above, below] = [of, to].map(
        (name) => rounds.get(name)?.flatMap((each) => each[measure] ?? []) ?? [],
      );
      if (!above?.length || !below?.length || unit === "%") return [];
      const summary = summarize(ratiosByRound(above, below));
      const subject = `${of} / ${to}`;
      const line = { table: "compared", case: "", measure, unit: RATIO, subject, ...summary };
      return [measure === "exchanges per second" ? { ...line, goal: atLeast(bound, summary.median) } : line];
    }),
  );
  return [...plain, ...compared];
}

export interface Burst {
  readonly sent: number;
  readonly connections: number;
  /** Answered with a token. */
  readonly accepted: number;
  /** Sessions that the database has more than before, read over another connection. */
  readonly stored: number;
  readonly elapsedMs: number;
  readonly p99Us: number;
}

export function burstFigures(bursts: ReadonlyMap<string, Burst>): Figure[] {
  return [...bursts].flatMap(([subject, { sent, connections, accepted, stored, elapsedMs, p99Us }]) => {
    const line = { table: `a burst of ${sent} exchanges over ${connections} connections`, case: "", subject };
    const count = (measure: string, value: number): Figure => ({
      ...line,
      measure,
      unit: "",
      ...summarize([value]),
      goal: atLeast(sent, value),
    });
    return [
      count("answered with a token", accepted),
      count("sessions in the database", stored),
      { ...line, measure: "from first to last", unit: "ms", ...summarize([elapsedMs]) },
      { ...line, measure: "latency p99", unit: "ms", ...summarize([p99Us / 1000]) },
    ];
  });
}

/** `times` in milliseconds: without them nobody can tell what a commit cost. */
export function diskFigures(times: readonly number[]): Figure[] {
  const line = { table: "the disk of the databases", case: "", unit: "ms", subject: "" };
  return [{ ...line, measure: "4 KiB and fdatasync, median", ...summarize([median(times)]) }];
}
