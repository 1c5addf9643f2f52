/**
 * `npm run bench -- NAME`: measures what the project claims about its speed.
 * Prints a table, or with `--json` one JSON object on stdout; progress goes to stderr.
 * Exit code 0: measured; 1: a wrong answer or a missing part; 2: usage.
 */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { z } from "zod";
import { type Bench, BenchFailed, runBench } from "./bench.ts";
import { exchangeBench } from "./exchange.ts";
import { policyBench } from "./policy.ts";
import { proxyBench } from "./proxy.ts";
import { relayBench } from "./relay.ts";
import { renderTable } from "./report.ts";
import { soakBench } from "./soak.ts";
import { startupBench } from "./startup.ts";

const benches: readonly Bench[] = [
  startupBench,
  proxyBench,
  relayBench,
  soakBench,
  exchangeBench,
  policyBench,
];

const CommandOptions = z.object({
  json: z.boolean().optional(),
  rounds: z.number(),
  calls: z.number().optional(),
  peers: z.boolean().default(false),
});

const program = new Command("bench")
  .usage("NAME [options]")
  .description("Measures what the project claims about its speed. One bench runs at a time.")
  .exitOverride()
  .showHelpAfterError()
  .helpCommand(false)
  .addHelpText("after", "\nBefore a pipe: npm run --silent bench -- NAME --json | jq");

for (const bench of benches) {
  const command = program
    .command(bench.name)
    .description(bench.summary)
    .option("--json", "print one JSON object with every figure")
    .option(
      "--rounds <n>",
      "measured rounds, after a warm-up; figures to be quoted need five",
      parseCount,
      5,
    );
  if (bench.measuresCalls)
    command.option("--calls <n>", "calls of each measurement, for a quick look", parseCount);
  if (bench.hasPeers === true)
    command.option("--peers", "with the peers from npm, fetched once with npx at pinned versions");
  command.action((options: unknown) => printReport(bench, CommandOptions.parse(options)));
}

async function printReport(bench: Bench, options: z.infer<typeof CommandOptions>): Promise<void> {
  const report = await runBench(bench, {
    rounds: options.rounds,
    calls: options.calls,
    peers: options.peers,
    progress: (line) => process.stderr.write(`${bench.name}: ${line}\n`),
  });
  process.stdout.write(`${options.json === true ? JSON.stringify(report, null, 2) : renderTable(report)}\n`);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError("Expected a whole number from 1 on.");
  return count;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Usage was already printed; `--help` alone is no mistake.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof BenchFailed) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
