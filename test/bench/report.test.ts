import { describe, expect, it } from "vitest";
import { SPREAD } from "../../bench/measurement.ts";
import { formatNumber, RATIO, renderTable, type Figure, type Report } from "../../bench/report.ts";

const line = { table: "tools/call", case: "1 KiB", measure: "latency p50" };
const figures: Figure[] = [
  { ...line, subject: "byte pipe", unit: "µs", median: 200, spread: 0.125, rounds: [190, 200, 215] },
  { ...line, subject: "lanyard", unit: "µs", median: 250, spread: 0.1, rounds: [240, 250, 265] },
  { ...line, subject: "lanyard / byte pipe", unit: RATIO, median: 1.25, spread: 0.02, rounds: [1.25] },
  {
    table: "bundles",
    case: "",
    measure: "size",
    subject: "dist/proxy.cjs",
    unit: "KiB",
    median: 301.4,
    spread: null,
    rounds: [301.4],
    goal: { at_most: 300, met: false },
  },
];
const report: Report = {
  bench: "proxy",
  summary: "what a call costs",
  machine: { cpu: "a processor", cores: 2, system: "linux", node: "v24.0.0", load_average: 0.5 },
  pinning: { kind: "taskset", cores: { load: 0, contender: 1 } },
  rounds: 3,
  spread: SPREAD,
  figures,
  notes: ["a note"],
};

describe("the table", () => {
  const lines = renderTable(report).split("\n");

  it("says on which machine, on which cores, and what the spread is", () => {
    expect(lines.slice(0, 4).join("\n")).toMatchInlineSnapshot(`
      "proxy: what a call costs
      a processor, 2 cores, linux, Node v24.0.0, load average before 0.50
      load and upstream server on core 0, contender on core 1 (taskset); 3 rounds, interleaved, after a warm-up
      each cell: median (spread); spread = (max - min) / median; x: a ratio, taken within each round"
    `);
  });

  it("has a line for each measure with its unit and a column for each contender", () => {
    expect(lines.slice(5, 8).join("\n")).toMatchInlineSnapshot(`
      "tools/call
                               byte pipe     lanyard  lanyard / byte pipe
      1 KiB, latency p50  µs  200 (13 %)  250 (10 %)          1.25x (2 %)"
    `);
  });

  it("prints what was measured only once without a spread", () => {
    expect(lines.slice(9, 12).join("\n")).toMatchInlineSnapshot(`
      "bundles
                 dist/proxy.cjs
      size  KiB             301"
    `);
  });

  it("says of every goal whether it was met", () => {
    expect(lines).toContain("goal: dist/proxy.cjs, size: at most 300 KiB; it is 301 KiB: NOT MET");
  });

  it("ends with the notes", () => {
    expect(lines.at(-1)).toBe("a note");
  });
});

describe("numbers", () => {
  it("have three significant digits and thousands apart", () => {
    expect([0.8412, 9.876, 31.26, 99.96, 301.4, 12345.6].map(formatNumber)).toEqual([
      "0.841",
      "9.88",
      "31.3",
      "100",
      "301",
      "12,346",
    ]);
  });
});
