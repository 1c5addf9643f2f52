/** The figures of the policy bench, with what is compared within a round and what is hoped for. Pure. */
import { ratiosByRound, summarize } from "./measurement.ts";
import type { PolicyContender } from "./program-contract.ts";
import { type Figure, type Goal, RATIO } from "./report.ts";

const SUBJECTS: Readonly<Record<PolicyContender, string>> = {
  lanyard: "lanyard",
  table: "table by hand",
  cedar: "Cedar",
  casbin: "casbin",
};

const GOALS = { perSecond: 1_000_000, ofTable: 0.1, p99Us: 10, loadingMs: 1_000 } as const;

/** One round of one contender. */
export interface Measured {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const measures = [
  { measure: "decisions per second", unit: "1/s", of: ({ perSecond }: Measured) => perSecond },
  { measure: "latency p50", unit: "µs", of: ({ p50Us }: Measured) => p50Us },
  { measure: "latency p99", unit: "µs", of: ({ p99Us }: Measured) => p99Us },
] as const;

export function decisionFigures(rounds: ReadonlyMap<PolicyContender, readonly Measured[]>): Figure[] {
  const line = { table: "decisions on a role of 200 grants, each with a condition", case: "" };
  const plain = measures.flatMap(({ measure, unit, of }) =>
    [...rounds].map(([contender, measured]): Figure => {
      const figure = { ...line, measure, unit, subject: SUBJECTS[contender], ...summarize(measured.map(of)) };
      const goal = contender === "lanyard" ? goalOf(measure, figure.median) : undefined;
      return goal === undefined ? figure : { ...figure, goal };
    }),
  );
  const perSecond = (contender: PolicyContender): number[] =>
    rounds.get(contender)?.map((measured) => measured.perSecond) ?? [];
  const compared = [...rounds.keys()]
    .filter((contender) => contender !== "lanyard")
    .map((contender): Figure => {
      const summary = summarize(ratiosByRound(perSecond("lanyard"), perSecond(contender)));
      const subject = `${SUBJECTS.lanyard} / ${SUBJECTS[contender]}`;
      const figure = { ...line, measure: "decisions per second", unit: RATIO, subject, ...summary };
      return contender === "table" ? { ...figure, goal: atLeast(GOALS.ofTable, summary.median) } : figure;
    });
  return [...plain, ...compared];
}

function goalOf(measure: (typeof measures)[number]["measure"], median: number): Goal | undefined {
  switch (measure) {
    case "decisions per second":
      return atLeast(GOALS.perSecond, median);
    case "latency p99":
      return atMost(GOALS.p99Us, median);
    case "latency p50":
      return undefined;
  }
}

/** Milliseconds, each of a process of its own. */
export function loadingFigures(repositories: number, rounds: readonly number[]): Figure[] {
  const summary = summarize(rounds);
  return [
    {
      table: `a directory of ${repositories} documents as provision writes them`,
      case: "",
      measure: "read, checked and assembled",
      unit: "ms",
      subject: SUBJECTS.lanyard,
      ...summary,
      goal: atMost(GOALS.loadingMs, summary.median),
    },
  ];
}

const atLeast = (bound: number, value: number): Goal => ({ at_least: bound, met: value >= bound });
const atMost = (bound: number, value: number): Goal => ({ at_most: bound, met: value <= bound });
