/** The command as a person runs it; figures are looked at for their shape, never for their size. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const root = join(import.meta.dirname, "..", "..");
const main = join(root, "bench", "main.ts");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const bench = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });

const positive = z.number().positive();
const Figure = z.strictObject({
  table: z.string(),
  case: z.string(),
  measure: z.string(),
  unit: z.enum(["ms", "µs", "1/s", "%", "KiB", "ratio"]),
  subject: z.string(),
  median: positive,
  spread: z.null(),
  rounds: z.tuple([positive]),
  goal: z.strictObject({ at_most: positive, met: z.boolean() }).optional(),
});
const Report = z.strictObject({
  bench: z.string(),
  summary: z.string(),
  machine: z.strictObject({
    cpu: z.string(),
    cores: positive,
    system: z.string(),
    node: z.literal(process.version),
    load_average: z.number(),
  }),
  pinning: z.looseObject({ kind: z.enum(["taskset", "none"]) }),
  rounds: z.literal(1),
  spread: z.string(),
  figures: z.array(Figure),
  notes: z.array(z.string()),
});

const readReport = ({ code, stdout, stderr }: Ended): z.infer<typeof Report> => {
  expect(code, stderr).toBe(0);
  return Report.parse(JSON.parse(stdout));
};

describe("the bench command", () => {
  it("lists every bench with a sentence", async () => {
    const { code, stdout } = await bench("--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}startup \[options\] {2}What Lanyard's step adds/m);
    expect(stdout).toMatch(/^ {2}proxy \[options\] {4}Latency and calls per second/m);
  });

  it.each([[[]], [["nonsense"]]])("ends with 2 and the list for %j", async (args: string[]) => {
    const { code, stdout, stderr } = await bench(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("startup");
    expect(stderr).toContain("proxy");
  });

  it.each(["0", "-1", "2.5", "many"])("ends with 2 for %s rounds", async (rounds) => {
    const { code, stderr } = await bench("proxy", "--rounds", rounds);
    expect(code).toBe(2);
    expect(stderr).toContain("Expected a whole number from 1 on.");
  });
});

describe("the benches", { timeout: 60_000 }, () => {
  it("proxy reports every measure of every contender at every size and concurrency", async () => {
    const report = readReport(await bench("proxy", "--json", "--rounds", "1", "--calls", "40"));
    const lines = report.figures.map((figure) => `${figure.case}, ${figure.measure}: ${figure.subject}`);
    for (const size of ["1 KiB", "64 KiB"]) {
      for (const concurrency of [1, 32]) {
        for (const measure of ["calls per second", "latency p50", "latency p99"]) {
          for (const subject of [
            "direct",
            "byte pipe",
            "lanyard",
            "lanyard / byte pipe",
            "lanyard / direct",
          ]) {
            expect(lines).toContain(`${size}, concurrency ${concurrency}, ${measure}: ${subject}`);
          }
        }
      }
    }
  });

  it("startup reports the step beside a bare start of Node, and the size of each bundle", async () => {
    const report = readReport(await bench("startup", "--json", "--rounds", "1"));
    const lines = report.figures.map(({ measure, subject, unit }) => `${measure}: ${subject} [${unit}]`);
    const bundles = readdirSync(join(root, "dist")).toSorted();
    expect(bundles).toEqual(expect.arrayContaining(["main.cjs", "post.cjs", "proxy.cjs"]));
    expect(lines).toEqual([
      "start to exit: node -e 0 [ms]",
      "start to exit: main [ms]",
      "start to exit: main / node -e 0 [ratio]",
      "start to first answered tools/list: main [ms]",
      "start to first answered tools/list: main / node -e 0 [ratio]",
      ...bundles.map((name) => `size: ${name} [KiB]`),
    ]);
    const goals = report.figures.flatMap(({ goal }) => (goal === undefined ? [] : [goal.at_most]));
    expect(goals).toEqual([10, 300]);
  });
});
