/** The relay bench with tiny counts: real proxies, brokers and databases, and figures that mean nothing. */
import { describe, expect, it } from "vitest";
import { figuresOfCalls, figuresOfStreams, type Measured, NAMES } from "../../bench/relay-figures.ts";
import { bench, readReport } from "../support/bench-command.ts";
import { whyNoPostgres } from "../support/postgres.ts";

describe("the relay bench", { timeout: 240_000 }, () => {
  it("reports every measure of every contender, and holds every stream", async () => {
    const report = readReport(await bench("relay", "--json", "--rounds", "1", "--calls", "40"));
    const lines = report.figures.map((figure) => `${figure.case}, ${figure.measure}: ${figure.subject}`);
    const withPostgres = whyNoPostgres === undefined;
    const relays = [NAMES.sqlite, ...(withPostgres ? [NAMES.postgres] : [])];
    const subjects = [NAMES.pipes, ...relays, ...relays.map((relay) => `${relay} / ${NAMES.pipes}`)];
    for (const size of ["1 KiB", "64 KiB"]) {
      for (const concurrency of [1, 32]) {
        for (const measure of ["calls per second", "latency p50", "latency p99"]) {
          expect(lines).toEqual(
            expect.arrayContaining(
              subjects.map((subject) => `${size}, concurrency ${concurrency}, ${measure}: ${subject}`),
            ),
          );
        }
      }
    }
    expect(report.notes.some((note) => note.startsWith("Left out: no PostgreSQL"))).toBe(!withPostgres);
    const held = report.figures.filter(({ table }) => table.startsWith("500 streams, held for "));
    expect(held.filter(({ unit }) => unit === "").map(({ measure, median }) => [measure, median])).toEqual([
      ["still open", 500],
      ["got the last message", 500],
    ]);
    expect(held.map(({ measure }) => measure)).toContain("a new job meanwhile, start to first call");
  });
});

describe("the goals of the relay bench", () => {
  const perSecond = (...rounds: number[]): Measured[] =>
    rounds.map((value) => ({ "calls per second": value }));

  it("are of ratios within a round, where many call at once", () => {
    const rounds = new Map([
      [NAMES.pipes, perSecond(1000, 2000, 100)],
      [NAMES.sqlite, perSecond(700, 1400, 10)],
      [NAMES.postgres, perSecond(690, 1380, 99)],
    ] as const);
    const goalsOf = (name: string): unknown[] =>
      figuresOfCalls(name, rounds).flatMap(({ subject, goal }) => (goal ? [[subject, goal]] : []));
    expect(goalsOf("1 KiB, concurrency 32")).toEqual([
      ["relayed, SQLite / two byte pipes", { at_least: 0.7, met: true }],
      ["relayed, PostgreSQL / two byte pipes", { at_least: 0.7, met: false }],
    ]);
    expect(goalsOf("1 KiB, concurrency 1")).toEqual([]);
  });

  it("count a stream as lost that was closed, or that the last message did not reach", () => {
    const holding = { streams: 10, heldSeconds: 1, newcomerMs: 5 };
    const metOf = (alive: number, told: number): unknown[] =>
      figuresOfStreams(NAMES.sqlite, { ...holding, counted: { alive, told } }).flatMap(({ goal }) =>
        goal ? [goal.met] : [],
      );
    expect(metOf(10, 10)).toEqual([true, true]);
    expect(metOf(9, 9)).toEqual([false, false]);
    expect(metOf(10, 9)).toEqual([true, false]);
  });
});
