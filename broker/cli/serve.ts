/**
 * `lanyard serve`: runs the broker until it is told to stop. Log lines (JSON) go to the standard output, what a person
 * must read to the standard error.
 */
import { Command } from "commander";
import { type BrokerConfig, listVariables, readConfig } from "../config.ts";
import { type RunningBroker, StartFailed, startBroker } from "../server.ts";
import { type Terminal, openTerminal } from "./terminal.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

const STOP_TIMEOUT_MS = 20_000;

interface Options {
  readonly json?: true;
  readonly logLevel: string;
}

export function serveCommand(terminal: Terminal = openTerminal()): Command {
  return new Command("serve")
    .description("run the broker, configured by environment variables")
    .option("--log-level <level>", LOG_LEVELS.join(", "), "info")
    .option("--json", "print problems at the start as one JSON object")
    .addHelpText("after", () => `\nEnvironment:\n${describeVariables()}`)
    .action(async (options: Options) => serve(options, terminal));
}

async function serve({ json, logLevel }: Options, terminal: Terminal): Promise<void> {
  const level = LOG_LEVELS.find((each) => each === logLevel);
  const read = readConfig();
  if (!read.ok || level === undefined) {
    const problems = read.ok ? [] : read.problems.map(({ variable, message }) => `${variable}: ${message}`);
    if (level === undefined) problems.push(`--log-level: write one of ${LOG_LEVELS.join(", ")}`);
    tell({ problems, json }, terminal);
    return terminal.exit(2);
  }
  const broker = await start(read.config, level, terminal).catch((error: unknown) => {
    if (!(error instanceof StartFailed)) throw error;
    tell({ problems: error.problems, json }, terminal);
    terminal.exit(1);
  });
  if (broker === undefined) return;
  terminal.writeError(`Lanyard serves ${broker.url}, listening on ${writeAddress(broker.address)}\n`);
  if (broker.metricsAddress !== undefined) {
    terminal.writeError(`Metrics: http://${writeAddress(broker.metricsAddress)}/metrics\n`);
  }
  process.on("SIGHUP", () => {
    terminal.writeError("Reading the policies again: the log says what came of it.\n");
    void broker.reloadPolicies();
  });
  await stopOnSignal(broker, terminal);
}

function writeAddress({ host, port }: RunningBroker["address"]): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function start(
  config: BrokerConfig,
  level: (typeof LOG_LEVELS)[number],
  terminal: Terminal,
): Promise<RunningBroker> {
  return startBroker({ config, log: { level, write: (line) => terminal.write(line) } });
}

function tell(
  { problems, json }: { problems: readonly string[]; json: true | undefined },
  terminal: Terminal,
): void {
  if (json) {
    terminal.write(`${JSON.stringify({ ok: false, problems })}\n`);
    return;
  }
  terminal.writeError("The broker did not start:\n");
  for (const problem of problems) terminal.writeError(`  ${problem}\n`);
}

/** The first signal lets requests end, the second does not. */
async function stopOnSignal(broker: RunningBroker, terminal: Terminal): Promise<void> {
  // Whoever read what is said here may be gone: that ends no exchange.
  process.stderr.on("error", () => undefined);
  const { promise, resolve } = Promise.withResolvers<void>();
  let signals = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals === 1) return resolve();
      terminal.writeError("Stopped at once.\n");
      process.exit(1);
    });
  }
  await promise;
  terminal.writeError(
    "Stopping when the requests in progress are answered; a second signal stops at once.\n",
  );
  // Requests have an end of their own; whatever else holds the process up does not hold it for ever.
  setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
  await broker.close();
}

function describeVariables(): string {
  return listVariables()
    .map(({ name, description, default: fallback, example }) => {
      const note = fallback === undefined ? `required, for example ${example}` : `default ${fallback}`;
      return `  ${name}\n      ${description}\n      ${note}\n`;
    })
    .join("");
}
