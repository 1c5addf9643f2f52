/**
 * How the commands of `lanyard policy` end: with an answer, or with what kept them from one and exit code 2.
 */
import { readPolicyFiles } from "../../../policies/documents/directory.ts";
import type { PolicyFile } from "../../../policies/documents/document.ts";
import type { Problem } from "../../../policies/documents/problem.ts";
import { assemblePolicies } from "../../../policies/loading.ts";
import type { Policies } from "../../../policies/policies.ts";
import { reportProblem, showControls } from "../problem-report.ts";
import type { ExitCode, Terminal } from "../terminal.ts";

export interface Unreadable {
  readonly directory: string;
  readonly files: readonly PolicyFile[];
  readonly problems: readonly Problem[];
}

/** There is no answer: the call was wrong, or the documents it is about do not load. */
export class NoAnswer extends Error {
  readonly unreadable: Unreadable | undefined;
  constructor(message: string, unreadable?: Unreadable) {
    super(message);
    this.unreadable = unreadable;
  }
}

export async function answer(
  { terminal, json }: { readonly terminal: Terminal; readonly json: boolean },
  find: () => Promise<ExitCode>,
): Promise<void> {
  try {
    terminal.exit(await find());
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const { message, unreadable } = error;
    if (json) {
      const problems = unreadable?.problems ?? [];
      terminal.write(`${JSON.stringify({ ok: false, message, problems })}\n`);
    } else {
      for (const problem of unreadable?.problems ?? []) {
        terminal.writeError(reportProblem(problem, unreadable ?? { directory: "", files: [] }, "error"));
      }
      terminal.writeError(`${showControls(message)}\n`);
    }
    terminal.exit(2);
  }
}

export interface OpenedDirectory {
  readonly directory: string;
  readonly files: readonly PolicyFile[];
  readonly policies: Policies;
}

/** `shown` is what the directory is called in messages. */
export async function openDirectory(directory: string, shown = directory): Promise<OpenedDirectory> {
  const read = await readPolicyFiles(directory);
  const files = read.ok ? read.files : [];
  const loaded = read.ok ? assemblePolicies(read.files, read.problems) : read;
  if (loaded.ok) {
    return { directory: shown, files, policies: loaded.policies };
  }
  const problems = loaded.problems.map((problem) => ({
    ...problem,
    message: problem.message.replaceAll(directory, shown),
  }));
  throw new NoAnswer(`${shown}: the policies do not load`, { directory: shown, files, problems });
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
