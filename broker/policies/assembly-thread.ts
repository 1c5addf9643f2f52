/**
 * The thread in which changed documents are parsed and checked: a thousand of them, or one that was made to take long,
 * hold up no request.
 */
import { parentPort } from "node:worker_threads";
import type { PolicyFile } from "../../policies/documents/document.ts";
import type { Problem } from "../../policies/documents/problem.ts";
import { assemblePolicies } from "../../policies/loading.ts";

export interface Assembly {
  readonly files: readonly PolicyFile[];
  readonly problems: readonly Problem[];
}

parentPort?.once("message", ({ files, problems }: Assembly) => {
  parentPort?.postMessage(assemblePolicies(files, problems));
});
