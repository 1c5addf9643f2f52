/** A terminal that remembers what a command wrote and how it ended, and answers as it is told. */
import type { Terminal } from "../../../broker/cli/terminal.ts";

export interface RecordedTerminal extends Terminal {
  readonly out: string;
  readonly err: string;
  readonly code: number | undefined;
  readonly questions: readonly string[];
}

export function recordTerminal(answer?: boolean): RecordedTerminal {
  const recorded = { out: "", err: "", code: undefined as number | undefined, questions: [] as string[] };
  return Object.assign(recorded, {
    write: (text: string) => {
      recorded.out += text;
    },
    writeError: (text: string) => {
      recorded.err += text;
    },
    confirm: async (question: string) => {
      recorded.questions.push(question);
      return answer;
    },
    exit: (code: number) => {
      recorded.code = code;
    },
  });
}
