/**
 * Starts a program of `programs/` as a pinned child process and talks to it in JSON lines:
 * its first line says that it is ready, then each question gets one line as its answer.
 * A child lives no longer than its parent: it ends when its stdin does.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { isAbsolute, join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { BenchFailed } from "./bench.ts";
import { type Pinning, pinCommand, type Side } from "./pinning.ts";

const STOP_TIMEOUT_MS = 5_000;

const Answer = z.discriminatedUnion("ok", [
  z.strictObject({ ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ ok: z.literal(false), message: z.string() }),
]);

export interface ChildProgram {
  readonly pid: number;
  /** What its first line said. */
  readonly ready: unknown;
  /** One question at a time. Throws `BenchFailed` with the program's sentence when it has no answer. */
  ask(question: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

export type StartProgram = (name: string, side: Side, options?: unknown) => Promise<ChildProgram>;

/** Whatever `work` started is stopped when it is done or has failed, the last first. */
export async function withPrograms<Result>(
  pinning: Pinning,
  work: (start: StartProgram) => Promise<Result>,
): Promise<Result> {
  const started: ChildProgram[] = [];
  try {
    return await work(async (name, side, options = {}) => {
      const program = await startProgram({ name, options, pinning, side });
      started.unshift(program);
      return program;
    });
  } finally {
    for (const program of started) await program.stop();
  }
}

interface ChildProgramOptions {
  /** A file of `programs/`, without `.ts`, or the path of any other. */
  readonly name: string;
  /** Passed as JSON. */
  readonly options: unknown;
  readonly pinning: Pinning;
  readonly side: Side;
}

async function startProgram({ name, options, pinning, side }: ChildProgramOptions): Promise<ChildProgram> {
  const program = isAbsolute(name) ? name : join(import.meta.dirname, "programs", `${name}.ts`);
  const node = [process.execPath, program, JSON.stringify(options)];
  const [file, args] = pinCommand(pinning, side, node);
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  // Its exit is what tells: a write to a child that is gone must not throw on its own.
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  const nextValue = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done === true) throw new BenchFailed(`${name} ended: what it printed above says why`);
    const answer = Answer.parse(JSON.parse(line.value));
    if (!answer.ok) throw new BenchFailed(`${name}: ${answer.message}`);
    return answer.value;
  };
  const stop = async (): Promise<void> => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  };

  try {
    const ready = await nextValue();
    if (child.pid === undefined) throw new BenchFailed(`${name} did not start`);
    return {
      pid: child.pid,
      ready,
      ask: (question) => {
        child.stdin.write(`${JSON.stringify(question)}\n`);
        return nextValue();
      },
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}
