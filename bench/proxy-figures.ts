/** What is made of the proxy bench's rounds: each contender's figures, its ratio to the base, and the goals. */
import { ratiosByRound, summarize } from "./measurement.ts";
import {
  BASES,
  BRIDGE,
  DIRECT,
  GATEWAY,
  LANYARD,
  MCP_PROXY,
  PIPE,
  SUPERGATEWAY,
  type Transport,
} from "./proxy-contenders.ts";
import { type Figure, type Goal, RATIO } from "./report.ts";

/** What is compared within a round, and for which of the contenders there is a figure. */
const measures = [
  { name: "calls per second", unit: "1/s" },
  { name: "latency p50", unit: "µs" },
  { name: "latency p99", unit: "µs" },
  { name: "CPU per call", unit: "µs" },
  { name: "core in use", unit: "%" },
] as const;
export type Measured = Readonly<Partial<Record<(typeof measures)[number]["name"], number>>>;

interface Compared {
  /** The one that the goals are of, over the other. */
  readonly a: string;
  readonly b: string;
  readonly goals: readonly {
    readonly measure: (typeof measures)[number]["name"];
    /** Of the name of a case. */
    readonly where: RegExp;
    readonly at_least?: number;
    readonly at_most?: number;
  }[];
}

const comparisons: Readonly<Record<Transport, readonly Compared[]>> = {
  HTTP: [
    {
      ...{ a: LANYARD, b: PIPE },
      goals: [
        { measure: "calls per second", where: / 1 KiB/, at_least: 0.8 },
        { measure: "calls per second", where: /64 KiB/, at_least: 0.75 },
        { measure: "CPU per call", where: /KiB/, at_most: 1.5 },
      ],
    },
    { a: LANYARD, b: GATEWAY, goals: [{ measure: "calls per second", where: /KiB/, at_least: 5 }] },
    { a: LANYARD, b: DIRECT, goals: [] },
  ],
  stdio: [
    { a: LANYARD, b: BRIDGE, goals: [{ measure: "calls per second", where: /KiB/, at_least: 0.75 }] },
    { a: LANYARD, b: GATEWAY, goals: [] },
    ...[MCP_PROXY, SUPERGATEWAY].map((b) => ({
      ...{ a: LANYARD, b },
      goals: [{ measure: "calls per second", where: /KiB/, at_least: 1 } as const],
    })),
  ],
};
const START_GOAL = 1.5;

export function figuresOfCalls(
  caseName: string,
  transport: Transport,
  rounds: ReadonlyMap<string, readonly Measured[]>,
): Figure[] {
  return measures.flatMap(({ name, unit }) => {
    const line = { table: `tools/call, ${transport}`, case: caseName, measure: name };
    const values = (contender: string): number[] =>
      (rounds.get(contender) ?? []).flatMap((measured) => measured[name] ?? []);
    const plain = [...rounds.keys()].flatMap((subject) =>
      values(subject).length === 0 ? [] : [{ ...line, unit, subject, ...summarize(values(subject)) }],
    );
    const ratios = comparisons[transport].flatMap(({ a, b, goals }) => {
      const isComparable = values(a).length > 0 && values(a).length === values(b).length && unit !== "%";
      if (!isComparable) return [];
      const ratio = summarize(ratiosByRound(values(a), values(b)));
      const wanted = goals.find((goal) => goal.measure === name && goal.where.test(caseName));
      const goal = wanted === undefined ? undefined : judge(ratio.median, wanted);
      return [
        { ...line, unit: RATIO, subject: `${a} / ${b}`, ...ratio, ...(goal !== undefined && { goal }) },
      ];
    });
    return [...plain, ...ratios];
  });
}

export function figuresOfStart(
  transport: Transport,
  rounds: ReadonlyMap<string, readonly number[]>,
): Figure[] {
  const base = BASES[transport];
  const line = {
    ...{ table: "start of the process to the first answered tools/list", case: transport },
    measure: "start to tools/list",
  };
  const plain = [...rounds].flatMap(([subject, values]) =>
    values.length === 0 ? [] : [{ ...line, unit: "ms", subject, ...summarize(values) }],
  );
  const ratio = summarize(ratiosByRound(rounds.get(LANYARD) ?? [], rounds.get(base) ?? []));
  const goal = transport === "HTTP" ? judge(ratio.median, { at_most: START_GOAL }) : undefined;
  const subject = `${LANYARD} / ${base}`;
  return [...plain, { ...line, unit: RATIO, subject, ...ratio, ...(goal !== undefined && { goal }) }];
}

function judge(value: number, bounds: { readonly at_least?: number; readonly at_most?: number }): Goal {
  const { at_least = Number.NEGATIVE_INFINITY, at_most } = bounds;
  return at_most === undefined ? { at_least, met: value >= at_least } : { at_most, met: value <= at_most };
}
