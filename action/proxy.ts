/**
 * The entry of the proxy's process: reads its configuration, starts the guard, says that it is ready, waits for the end.
 * Everything secret comes in over standard input and stays in this process; it prints nothing where the runner reads.
 */
import { closeSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { PROXY_BUNDLES } from "./bundles.ts";
import { GuardRefused, startGuard } from "./guard/guard.ts";
import { AnswerUnknown } from "./wire/broker-client.ts";
import { SubjectTokenUnavailable } from "./wire/github-oidc.ts";
import { ProxyConfiguration, type Readiness } from "./handover.ts";
import { environment } from "./inputs.ts";
import { SessionRefused } from "./guard/session.ts";

const STANDARD_INPUT = 0;
const READINESS_PIPE = 3;
const LAST_ANSWER_MS = 100;

void run();

async function run(): Promise<void> {
  try {
    const guard = await startGuard(readConfiguration(), {
      // The digest of this program is that of its files one after the other.
      bundle: Buffer.concat(PROXY_BUNDLES.map((name) => readFileSync(join(import.meta.dirname, name)))),
      environment,
    });
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      // Every time: post repeats the request, and a second one must not end the process while it seals.
      process.on(signal, () => void guard.seal(`the proxy received ${signal}`));
    }
    if (!tellMain(guard.ready)) await guard.seal("main ended before the proxy was ready");
    await guard.over;
    // For the answer to whoever asked; connections that agents left open are no reason to stay.
    setTimeout(() => process.exit(), LAST_ANSWER_MS).unref();
  } catch (cause) {
    tellMain({ status: "failed", message: describeFailure(cause) });
    process.exit(1);
  }
}

function readConfiguration(): ProxyConfiguration {
  try {
    return ProxyConfiguration.parse(JSON.parse(readFileSync(STANDARD_INPUT, "utf8")));
  } catch {
    // The cause would quote what was read, and with it a token.
    throw new GuardRefused("The proxy was started without a configuration: only the Action starts it.");
  }
}

/** False: main is gone, and with it everybody who could use the proxy. */
function tellMain(readiness: Readiness): boolean {
  try {
    writeSync(READINESS_PIPE, `${JSON.stringify(readiness)}\n`);
    closeSync(READINESS_PIPE);
    return true;
  } catch {
    return false;
  }
}

/** What was foreseen is one sentence; of anything else the trace goes into the proxy's own file, which post shows. */
function describeFailure(cause: unknown): string {
  const explained = [SessionRefused, SubjectTokenUnavailable, AnswerUnknown, GuardRefused];
  if (cause instanceof Error && explained.some((kind) => cause instanceof kind)) return cause.message;
  console.error(cause);
  return `The proxy could not start: ${cause instanceof Error ? cause.message : "unknown"}`;
}
