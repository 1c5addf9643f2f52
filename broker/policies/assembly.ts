/**
 * Policies from the files of a directory, assembled in a thread of their own, within a time and a size.
 * Whatever goes wrong there is a problem of the documents, and never one of the broker.
 */
import { Worker } from "node:worker_threads";
import type { Problem } from "../../policies/documents/problem.ts";
import type { LoadedPolicies } from "../../policies/loading.ts";
import type { Assembly } from "./assembly-thread.ts";

const TIMEOUT_MS = 60_000;
const MAX_HEAP_MB = 512;

export type Assembled =
  | LoadedPolicies
  /** The thread gave no answer; another attempt may. */
  | { readonly ok: false; readonly unfinished: true; readonly problems: readonly Problem[] };

export async function assembleApart({ files, problems }: Assembly): Promise<Assembled> {
  const worker = new Worker(new URL("./assembly-thread.ts", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const { promise, resolve } = Promise.withResolvers<Assembled>();
  const giveUp = (message: string): void =>
    resolve({ ok: false, unfinished: true, problems: [problemOf(message)] });
  const timer = setTimeout(() => giveUp("the documents take longer than a minute to check"), TIMEOUT_MS);
  worker.once("message", (loaded: LoadedPolicies) => resolve(loaded));
  worker.once("error", (error: Error) => giveUp(`the documents could not be checked (${error.message})`));
  worker.once("exit", () => giveUp("the documents could not be checked"));
  worker.postMessage({ files, problems } satisfies Assembly);
  worker.unref();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function problemOf(message: string): Problem {
  return { file: ".", line: 1, column: 1, key: "", message };
}
