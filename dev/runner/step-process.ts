/**
 * A step's process: standard input closed, output line by line, and a cancellation as the runner makes it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface StepProcess {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

export interface StepEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** Something else held its output after it had ended: the runner waits for that in vain. */
  readonly outputHeld: boolean;
}

const AFTER_SIGINT_MS = 7_500;
const AFTER_SIGTERM_MS = 2_500;
const HELD_OUTPUT_MS = 5_000;

/** Rejects when the command cannot be started. */
export async function runProcess(step: StepProcess): Promise<StepEnd> {
  const [file = "", ...args] = step.command;
  const child = spawn(file, args, {
    cwd: step.cwd,
    env: { ...step.environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end();
  const read = [readLines(child.stdout, step.onLine), readLines(child.stderr, step.onLine)];

  const timers: NodeJS.Timeout[] = [];
  const cancel = (): void => {
    child.kill("SIGINT");
    timers.push(setTimeout(() => child.kill("SIGTERM"), AFTER_SIGINT_MS));
    timers.push(setTimeout(() => child.kill("SIGKILL"), AFTER_SIGINT_MS + AFTER_SIGTERM_MS));
  };
  step.signal?.addEventListener("abort", cancel, { once: true });
  if (step.signal?.aborted === true) cancel();
  try {
    const [exitCode] = (await once(child, "exit")) as [number | null];
    const outputHeld = await isStillOpen(Promise.all(read), HELD_OUTPUT_MS);
    child.stdout.destroy();
    child.stderr.destroy();
    return { exitCode, outputHeld };
  } finally {
    step.signal?.removeEventListener("abort", cancel);
    for (const timer of timers) clearTimeout(timer);
  }
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on("line", onLine);
  await once(lines, "close");
}

async function isStillOpen(closed: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const timer = Promise.withResolvers<boolean>();
  const timeout = setTimeout(() => timer.resolve(true), timeoutMs);
  const held = await Promise.race([closed.then(() => false), timer.promise]);
  clearTimeout(timeout);
  return held;
}
