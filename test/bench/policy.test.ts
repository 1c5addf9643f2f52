/** The policy bench with tiny counts: every contender really decides, and figures mean nothing. */
import { describe, expect, it } from "vitest";
import { decisionFigures, loadingFigures, type Measured } from "../../bench/policy-figures.ts";
import { contenders } from "../../bench/programs/policy-contenders.ts";
import { calls, rules } from "../../bench/programs/policy-rules.ts";
import { PolicyContender } from "../../bench/program-contract.ts";
import { bench, readReport } from "../support/bench-command.ts";

describe("the policy bench", { timeout: 120_000 }, () => {
  it("reports every measure of every contender, the comparisons and the loading", async () => {
    const report = readReport(await bench("policy", "--json", "--rounds", "1", "--calls", "24"));
    const lines = report.figures.map(({ measure, subject, unit }) => `${measure}: ${subject} [${unit}]`);
    const subjects = ["lanyard", "table by hand", "Cedar", "casbin"];
    expect(lines).toEqual([
      ...subjects.map((subject) => `decisions per second: ${subject} [1/s]`),
      ...subjects.map((subject) => `latency p50: ${subject} [µs]`),
      ...subjects.map((subject) => `latency p99: ${subject} [µs]`),
      ...subjects.slice(1).map((subject) => `decisions per second: lanyard / ${subject} [ratio]`),
      "read, checked and assembled: lanyard [ms]",
    ]);
    expect(report.figures.at(-1)?.table).toContain("24 documents");
  });
});

describe("the rules of the policy bench", () => {
  it("are 200, over ten servers, and the calls are of all kinds", () => {
    expect(rules).toHaveLength(200);
    expect(new Set(rules.map(({ server }) => server)).size).toBe(10);
    const kinds = new Set(rules.map(({ test }) => test.kind));
    expect([...kinds].sort()).toEqual(["at_most", "labels", "own_issue", "own_repository", "quiet", "under"]);
    const allowed = calls.filter((call) => call.allowed).length;
    expect(allowed / calls.length).toBeCloseTo(2 / 3, 2);
  });

  it.each(PolicyContender.options)("are decided by %s as they must be", async (contender) => {
    const decide = await contenders[contender]();
    for (const { call, allowed } of calls.slice(0, 240)) {
      expect({ call, allowed: decide(call) }).toEqual({ call, allowed });
    }
  });
});

describe("the goals of the policy bench", () => {
  const measured = (perSecond: number, p99Us: number): Measured => ({ perSecond, p50Us: 1, p99Us });
  const goalsOf = (lanyard: Measured, table: Measured): unknown[] =>
    decisionFigures(
      new Map([
        ["lanyard", [lanyard]],
        ["table", [table]],
        ["cedar", [table]],
      ]),
    ).flatMap(({ measure, subject, goal }) =>
      goal === undefined ? [] : [`${measure}, ${subject}: ${goal.met}`],
    );

  it("are met at the bound already", () => {
    expect(goalsOf(measured(1_000_000, 10), measured(10_000_000, 1))).toEqual([
      "decisions per second, lanyard: true",
      "latency p99, lanyard: true",
      "decisions per second, lanyard / table by hand: true",
    ]);
    expect(loadingFigures(1_000, [1_000])[0]?.goal).toEqual({ at_most: 1_000, met: true });
  });

  it("are not met beyond it", () => {
    expect(goalsOf(measured(999_999, 10.1), measured(10_000_000, 1))).toEqual([
      "decisions per second, lanyard: false",
      "latency p99, lanyard: false",
      "decisions per second, lanyard / table by hand: false",
    ]);
    expect(loadingFigures(1_000, [1_001])[0]?.goal).toEqual({ at_most: 1_000, met: false });
  });
});
