/**
 * The terminal as a command sees it: two outputs, a question, an exit code.
 * Commands write nowhere else, so that a test can read what a person would.
 */
import { createInterface } from "node:readline/promises";

/** 0: good. 1: the command found something. 2: it was called wrongly. */
export type ExitCode = 0 | 1 | 2;

export interface Terminal {
  write(text: string): void;
  writeError(text: string): void;
  /** Undefined where nobody can answer. */
  confirm(question: string): Promise<boolean | undefined>;
  exit(code: ExitCode): void;
}

export function openTerminal(): Terminal {
  return {
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    confirm: async (question) => {
      if (!process.stdin.isTTY) {
        return undefined;
      }
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(?:es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
      } finally {
        lines.close();
      }
    },
    exit: (code) => {
      process.exitCode = code;
    },
  };
}
