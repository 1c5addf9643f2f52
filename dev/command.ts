/**
 * `lanyard dev`: development mode on this machine, with one sample run played through the real Action.
 */
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";

interface DevCommandOptions {
  readonly port: number;
  readonly state: string;
  readonly run: boolean;
  readonly exit: boolean;
}

export function devCommand(): Command {
  return new Command("dev")
    .description("start everything on this machine, play one sample workflow run, show where to review it")
    .option("--port <port>", "the broker's port; the two above it are used as well", parsePort, 8484)
    .option("--state <folder>", "where all state is kept", ".lanyard")
    .option("--no-run", "start without playing a run")
    .option("--exit", "stop after the run, with its exit code, instead of staying up")
    .addHelpText(
      "after",
      "\nThe issuer of this mode signs tokens for every process of this machine: it is for trying things out.\n" +
        "A broker for real jobs is started with `lanyard serve`.",
    )
    .action(async (options: DevCommandOptions) => {
      process.exitCode = await runDevelopment(options);
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_533) {
    throw new InvalidArgumentError("a port is a whole number from 1 to 65533");
  }
  return port;
}

async function runDevelopment(options: DevCommandOptions): Promise<number> {
  // Loaded here: `lanyard --help` has no use for a broker.
  const { StartFailed } = await import("../broker/server.ts");
  const { startDevelopment } = await import("./development.ts");
  const state = resolve(options.state);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);

  console.log(`Lanyard in development mode; everything it keeps is in ${state}\n`);
  try {
    const development = await startDevelopment({
      state,
      port: options.port,
      tell: (part, detail) => console.log(`  ${part.padEnd(18)} ${detail}`),
    });
    try {
      const { exitCode, page } = options.run
        ? await playRun(development, stopping.signal)
        : { exitCode: 0, page: "/runs" };
      if (!options.exit && !stopping.signal.aborted) {
        console.log(
          `\n${options.run ? "Review it" : "Sign in"} (the link works once): ${development.broker.loginUrl(page)}`,
        );
        console.log("The broker stays up. Ctrl-C stops it; the next start finds every run again.");
        await new Promise<void>((done) =>
          stopping.signal.addEventListener("abort", () => done(), { once: true }),
        );
        console.log("\nStopping.");
      }
      return options.exit ? exitCode : 0;
    } finally {
      await development.close();
    }
  } catch (error) {
    const problems =
      error instanceof StartFailed ? error.problems : [error instanceof Error ? error.message : error];
    for (const problem of problems) console.error(`lanyard dev: ${String(problem)}`);
    return 2;
  }
}

async function playRun(
  {
    broker,
    issuer,
    state,
  }: { broker: { url: string }; issuer: import("./issuer.ts").DevIssuer; state: string },
  signal: AbortSignal,
): Promise<{ exitCode: number; page: string }> {
  const { nextRunNumber, playSampleRun, sampleRepository } = await import("./sample-job.ts");
  const folder = join(state, "runs");
  const runNumber = await nextRunNumber(folder);
  console.log(`\nRun ${runNumber} of ${sampleRepository.workflow} in ${sampleRepository.repository}:\n`);
  const result = await playSampleRun(
    {
      issuer,
      brokerUrl: broker.url,
      folder,
      signal,
      onLine: (line, step) => console.log(`  ${step.padEnd(8)} │ ${line}`),
    },
    runNumber,
  );
  console.log(`\nThe job ended: ${result.conclusion}.`);
  const reviewUrl = result.steps.find(({ outputs }) => "review-url" in outputs)?.outputs["review-url"];
  return {
    exitCode: result.conclusion === "success" ? 0 : 1,
    page: reviewUrl === undefined ? "/runs" : new URL(reviewUrl).pathname,
  };
}
