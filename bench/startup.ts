/**
 * What Lanyard's step adds to a job before the agent can start: from the start of `main` to its exit, and to the first
 * answered `tools/list`, with a broker on the same machine, beside a bare `node -e 0`; and the size of the bundles.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Bench, BenchFailed, type BenchOptions } from "./bench.ts";
import { type StartProgram, withPrograms } from "./child-program.ts";
import { interleave, ratiosByRound, summarize } from "./measurement.ts";
import { JobTimes } from "./program-contract.ts";
import { type Figure, RATIO } from "./report.ts";

/** Of the whole step, with a local broker, as a multiple of `node -e 0`. */
const STEP_GOAL = 10;
const PROXY_BUNDLE_GOAL_KIB = 300;

const DIST = join(import.meta.dirname, "..", "dist");
const NODE: string = "node -e 0";
const MAIN: string = "main";

export const startupBench: Bench = {
  name: "startup",
  summary: "What Lanyard's step adds to a job before the agent can start, and the size of each bundle.",
  measuresCalls: false,
  notes: [
    "The broker, the issuer and the MCP server are on the load's core; the job is on the contender's.",
    "Some of the session's grants have conditions, so the proxy loads what evaluates them, too.",
  ],
  measure: async ({ pinning, ...options }) => {
    const bundles = await measureBundles();
    const steps = await withPrograms(pinning, (start) => measureSteps(start, options));
    return [...steps, ...bundles];
  },
};

async function measureSteps(start: StartProgram, options: BenchOptions): Promise<Figure[]> {
  const server = Listening.parse((await start("bare-mcp-server", "load")).ready);
  const broker = await start("local-broker", "load", { upstream: server.url });
  const { url } = Listening.parse(broker.ready);
  const runner = await start("job-runner", "contender");
  const timeStep = async (contender: string, round: number): Promise<JobTimes> => {
    options.progress(`${round === 0 ? "warm-up" : `round ${round}`}, ${contender}`);
    if (contender === NODE) return JobTimes.parse(await runner.ask({ kind: "node" }));
    // A job has one session: each round is another run.
    const run = round + 1;
    const environment = await broker.ask(run);
    return JobTimes.parse(await runner.ask({ kind: "action", broker: url, run, environment }));
  };
  const rounds = await interleave({ contenders: [NODE, MAIN], rounds: options.rounds, measure: timeStep });
  return figuresOf(rounds.get(NODE) ?? [], rounds.get(MAIN) ?? []);
}

const Listening = z.looseObject({ url: z.url() });

function figuresOf(node: readonly JobTimes[], main: readonly JobTimes[]): Figure[] {
  const bare = node.map(({ exit_ms }) => exit_ms);
  const exit = main.map(({ exit_ms }) => exit_ms);
  const listed = main.flatMap(({ listed_ms }) => listed_ms ?? []);
  const toExit = { table: "one step of a job", case: "", measure: "start to exit" };
  const toList = { ...toExit, measure: "start to first answered tools/list" };
  const exitRatio = summarize(ratiosByRound(exit, bare));
  const subject = `${MAIN} / ${NODE}`;
  return [
    { ...toExit, unit: "ms", subject: NODE, ...summarize(bare) },
    { ...toExit, unit: "ms", subject: MAIN, ...summarize(exit) },
    {
      ...toExit,
      unit: RATIO,
      subject,
      ...exitRatio,
      goal: { at_most: STEP_GOAL, met: exitRatio.median <= STEP_GOAL },
    },
    { ...toList, unit: "ms", subject: MAIN, ...summarize(listed) },
    { ...toList, unit: RATIO, subject, ...summarize(ratiosByRound(listed, bare)) },
  ];
}

async function measureBundles(): Promise<Figure[]> {
  const names = await readdir(DIST).catch((): string[] => []);
  if (!["main.cjs", "post.cjs", "proxy.cjs"].every((name) => names.includes(name))) {
    throw new BenchFailed("The Action's bundles are not in dist/: run `npm run build` first.");
  }
  return Promise.all(
    names.toSorted().map(async (name): Promise<Figure> => {
      const kib = (await stat(join(DIST, name))).size / 1024;
      const goal = { at_most: PROXY_BUNDLE_GOAL_KIB, met: kib < PROXY_BUNDLE_GOAL_KIB };
      return {
        table: "bundles in dist/",
        case: "",
        measure: "size",
        unit: "KiB",
        subject: name,
        ...summarize([kib]),
        ...(name === "proxy.cjs" ? { goal } : {}),
      };
    }),
  );
}
