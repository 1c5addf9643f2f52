/** The command as a person runs it; figures are looked at for their shape, never for their size. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bench, readReport } from "../support/bench-command.ts";

const root = join(import.meta.dirname, "..", "..");

describe("the bench command", () => {
  it("lists every bench with a sentence", async () => {
    const { code, stdout } = await bench("--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}startup \[options\] +What Lanyard's step adds/m);
    expect(stdout).toMatch(/^ {2}proxy \[options\] +Latency and calls per second/m);
    expect(stdout).toMatch(/^ {2}relay \[options\] +Calls through proxy and relay/m);
    expect(stdout).toMatch(/^ {2}soak \[options\] +100,000 calls through the proxy/m);
    expect(stdout).toMatch(/^ {2}exchange \[options\] +Exchanges per second/m);
    expect(stdout).toMatch(/^ {2}policy \[options\] +Decisions per second/m);
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

describe("the benches", { timeout: 240_000 }, () => {
  it("proxy reports every measure of every contender at every size and concurrency", async () => {
    const report = readReport(await bench("proxy", "--json", "--rounds", "1", "--calls", "40"));
    const lines = report.figures.map((figure) => `${figure.case}, ${figure.measure}: ${figure.subject}`);
    const subjects = {
      HTTP: ["direct", "byte pipe", "lanyard", "SDK gateway", "lanyard / byte pipe", "lanyard / SDK gateway"],
      stdio: ["raw bridge", "lanyard", "SDK gateway", "lanyard / raw bridge", "lanyard / SDK gateway"],
    };
    for (const [transport, all] of Object.entries(subjects)) {
      for (const size of ["1 KiB", "64 KiB"]) {
        for (const concurrency of [1, 32]) {
          for (const measure of ["calls per second", "latency p50", "latency p99"]) {
            const circumstances = `${transport}, ${size}, concurrency ${concurrency}, ${measure}`;
            expect(lines).toEqual(
              expect.arrayContaining(all.map((subject) => `${circumstances}: ${subject}`)),
            );
          }
        }
      }
      const started = all.filter((subject) => !["direct", "lanyard / SDK gateway"].includes(subject));
      expect(lines).toEqual(
        expect.arrayContaining(started.map((subject) => `${transport}, start to tools/list: ${subject}`)),
      );
    }
    // Without being asked to, nothing is fetched from anywhere.
    expect(lines.filter((line) => /mcp-proxy|supergateway/.test(line))).toEqual([]);
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
    const goals = report.figures.flatMap(({ goal }) =>
      goal !== undefined && "at_most" in goal ? [goal.at_most] : [],
    );
    expect(goals).toEqual([10, 300]);
  });
});
