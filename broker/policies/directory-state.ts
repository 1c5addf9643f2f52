/**
 * A policy directory as it is at one moment: its files, and one digest by which replicas and moments are compared.
 * A directory that is being written counts only once it stands still: half an edit can be a document that loads.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readPolicyFiles } from "../../policies/documents/directory.ts";
import type { PolicyFile } from "../../policies/documents/document.ts";
import type { Problem } from "../../policies/documents/problem.ts";

export interface DirectoryState {
  readonly files: readonly PolicyFile[];
  /** What was wrong with reading them. */
  readonly problems: readonly Problem[];
  /** SHA-256 over paths and texts, in lower-case hex. */
  readonly digest: string;
  /** The same for the same files and the same problems. */
  readonly fingerprint: string;
}

/** Between two readings that have to be the same. */
const SETTLE_MS = 250;
/** After ten seconds in which no two readings were the same, whoever writes is told so. */
const MAX_READINGS = 40;

export async function readDirectory(directory: string): Promise<DirectoryState> {
  const read = await readPolicyFiles(directory);
  return read.ok ? describe(read.files, read.problems) : describe([], read.problems);
}

/** The state after `first` that two readings agree on. */
export async function awaitSettled(
  directory: string,
  first: DirectoryState,
  signal: AbortSignal,
): Promise<DirectoryState> {
  let last = first;
  for (let readings = 1; readings < MAX_READINGS; readings += 1) {
    await sleep(SETTLE_MS, undefined, { signal });
    const next = await readDirectory(directory);
    if (next.fingerprint === last.fingerprint) return next;
    last = next;
  }
  const message = "the files keep changing: write the whole directory once, or swap it for another";
  return describe([], [{ file: ".", line: 1, column: 1, key: "", message }]);
}

function describe(files: readonly PolicyFile[], problems: readonly Problem[]): DirectoryState {
  const digest = hash(files.map(({ path, text }) => [path, text]));
  return { files, problems, digest, fingerprint: hash([digest, problems]) };
}

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
