/** The figures of the relay bench, with what is compared within a round and what is hoped for. Pure. */
import { ratiosByRound, summarize } from "./measurement.ts";
import type { StreamCount } from "./program-contract.ts";
import { type Figure, type Goal, RATIO } from "./report.ts";

export const NAMES = {
  pipes: "two byte pipes",
  sqlite: "relayed, SQLite",
  postgres: "relayed, PostgreSQL",
} as const;
export type Name = (typeof NAMES)[keyof typeof NAMES];

const measures = [
  { name: "calls per second", unit: "1/s" },
  { name: "latency p50", unit: "µs" },
  { name: "latency p99", unit: "µs" },
  { name: "CPU per call, both", unit: "µs" },
  { name: "CPU per call, first hop", unit: "µs" },
  { name: "CPU per call, second hop", unit: "µs" },
] as const;
export type Measured = Readonly<Partial<Record<(typeof measures)[number]["name"], number>>>;

/** Of the pipes' calls per second, where many agents call at once. */
const RATE_GOAL = { of: /concurrency 32/, atLeast: 0.7 };

const atLeast = (bound: number, value: number): Goal => ({ at_least: bound, met: value >= bound });

export function figuresOfCalls(caseName: string, rounds: ReadonlyMap<Name, readonly Measured[]>): Figure[] {
  return measures.flatMap(({ name: measure, unit }) => {
    const line = { table: "tools/call over two hops", case: caseName, measure };
    const values = (name: Name): number[] => (rounds.get(name) ?? []).flatMap((each) => each[measure] ?? []);
    const base = values(NAMES.pipes);
    return [...rounds.keys()].flatMap((subject): Figure[] => {
      const own = values(subject);
      if (own.length === 0) return [];
      const plain = { ...line, unit, subject, ...summarize(own) };
      if (subject === NAMES.pipes || own.length !== base.length) return [plain];
      const ratio = summarize(ratiosByRound(own, base));
      const hasGoal = measure === "calls per second" && RATE_GOAL.of.test(caseName);
      return [
        plain,
        {
          ...{ ...line, unit: RATIO, subject: `${subject} / ${NAMES.pipes}`, ...ratio },
          ...(hasGoal && { goal: atLeast(RATE_GOAL.atLeast, ratio.median) }),
        },
      ];
    });
  });
}

export interface Holding {
  readonly streams: number;
  readonly heldSeconds: number;
  readonly counted: StreamCount;
  /** A job that came while they were held: from the start of its proxy to its first answered call. */
  readonly newcomerMs: number;
}

export function figuresOfStreams(
  subject: Name,
  { streams, heldSeconds, counted, newcomerMs }: Holding,
): Figure[] {
  const line = { table: `${streams} streams, held for ${heldSeconds} s`, case: "", subject };
  const count = (measure: string, value: number): Figure => ({
    ...{ ...line, measure, unit: "", ...summarize([value]), goal: atLeast(streams, value) },
  });
  return [
    count("still open", counted.alive),
    count("got the last message", counted.told),
    { ...line, measure: "a new job meanwhile, start to first call", unit: "ms", ...summarize([newcomerMs]) },
  ];
}
