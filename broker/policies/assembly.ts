/**
 * Policies from the files of a directory, assembled in a thread of their own, within a time and a size.
 * Whatever goes wrong there is a problem of the documents, and never one of the broker.
 */
import { Worker } from "node:worker_threads";
import type { Problem } from "../../policies/documents/problem.ts";
import type { LoadedPolicies } from "../../policies/loading.ts";
import type { Assembly } from "./assembly-thread.ts";

interface AssemblyLimits {
  readonly timeoutMs: number;
  readonly maxHeapMb: number;
}
const LIMITS: AssemblyLimits = { timeoutMs: 60_000, maxHeapMb: 512 };

export interface AssemblyOptions {
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Default: a minute, 512 MiB. */
  readonly limits?: AssemblyLimits;
}

export type Assembled =
  | LoadedPolicies
  /** The thread gave no answer; another attempt may. */
  | { readonly ok: false; readonly unfinished: true; readonly problems: readonly Problem[] };

/** Throws the signal's reason when it aborts. */
export async function assembleApart(
  { files, problems }: Assembly,
  { signal, limits = LIMITS }: AssemblyOptions,
): Promise<Assembled> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./assembly-thread.ts", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: limits.maxHeapMb },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Assembled>();
  const giveUp = (message: string): void =>
    resolve({ ok: false, unfinished: true, problems: [problemOf(message)] });
  const timer = setTimeout(
    () => giveUp(`the documents take longer than ${limits.timeoutMs / 1000} s to check`),
    limits.timeoutMs,
  );
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  worker.once("message", (loaded: LoadedPolicies) => resolve(loaded));
  worker.once("error", (error: Error) => giveUp(`the documents could not be checked (${error.message})`));
  worker.once("exit", () => giveUp("the documents could not be checked"));
  worker.postMessage({ files, problems } satisfies Assembly);
  worker.unref();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    await worker.terminate();
  }
}

function problemOf(message: string): Problem {
  return { file: ".", line: 1, column: 1, key: "", message };
}
