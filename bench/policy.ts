/**
 * What a decision costs, on the same rules and calls in the same run: the compiled policy, a table compiled by hand,
 * Cedar and casbin; and how long a broker takes to load the documents of a thousand repositories.
 */
import { z } from "zod";
import type { Bench, BenchOptions } from "./bench.ts";
import { type ChildProgram, type StartProgram, withPrograms } from "./child-program.ts";
import { interleave } from "./measurement.ts";
import { decisionFigures, loadingFigures, type Measured } from "./policy-figures.ts";
import {
  type DecisionRequest,
  DecisionResult,
  LoadingTime,
  PolicyContender,
  type PolicyDirectory,
} from "./program-contract.ts";
import type { Figure } from "./report.ts";

/** Enough for about a second each. */
const DECISIONS: Readonly<Record<PolicyContender, number>> = {
  lanyard: 1_000_000,
  table: 1_000_000,
  cedar: 2_000,
  casbin: 1_000,
};
const REPOSITORIES = 1_000;

export const policyBench: Bench = {
  name: "policy",
  summary: "Decisions per second beside Cedar, casbin and a table by hand; loading 1,000 documents.",
  measuresCalls: true,
  notes: [
    "200 grants over ten servers, all with conditions (one in twenty looks into an object, which the CEL evaluator does for Lanyard); of the calls two in three are allowed, and every answer is compared with what it must be.",
    "Only Lanyard's answers name the rule and the reason. Cedar: policies preparsed, requests stateful; casbin: enforceSync with eval() after the names are compared.",
    "The clock is read before and after each decision for p50 and p99, which adds about 0.05 µs to each; not for decisions per second.",
    "Documents are loaded once in each of as many new processes: that is what a starting broker does.",
  ],
  measure: ({ pinning, ...options }) =>
    withPrograms(pinning, async (start) => [
      ...(await measureDecisions(start, options)),
      ...(await measureLoading(start, options)),
    ]),
};

async function measureDecisions(start: StartProgram, options: BenchOptions): Promise<Figure[]> {
  const programs = new Map<PolicyContender, ChildProgram>();
  for (const contender of PolicyContender.options) {
    programs.set(contender, await start("policy-decisions", "contender", { contender }));
  }
  const rounds = await interleave({
    contenders: [...programs],
    rounds: options.rounds,
    measure: async ([contender, program], round): Promise<Measured> => {
      options.progress(`${round === 0 ? "warm-up" : `round ${round}`}, ${contender}`);
      const decisions = options.calls ?? DECISIONS[contender];
      const request: DecisionRequest = { decisions };
      const result = DecisionResult.parse(await program.ask(request));
      const perSecond = (decisions / result.elapsed_ms) * 1000;
      return { perSecond, p50Us: result.p50_us, p99Us: result.p99_us };
    },
  });
  return decisionFigures(new Map([...rounds].map(([[contender], measured]) => [contender, measured])));
}

async function measureLoading(start: StartProgram, options: BenchOptions): Promise<Figure[]> {
  const repositories = Math.min(options.calls ?? REPOSITORIES, REPOSITORIES);
  const writer = await start("policy-directory", "load", { repositories });
  const { directory } = z.strictObject({ directory: z.string() }).parse(writer.ready);
  const times: number[] = [];
  for (let round = 0; round <= options.rounds; round += 1) {
    options.progress(`${round === 0 ? "warm-up" : `round ${round}`}, ${repositories} documents`);
    const question: PolicyDirectory = { directory, repositories };
    const program = await start("policy-loading", "contender");
    const { elapsed_ms: elapsed } = LoadingTime.parse(await program.ask(question));
    if (round > 0) times.push(elapsed);
    await program.stop();
  }
  return loadingFigures(repositories, times);
}
