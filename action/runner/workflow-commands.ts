/**
 * Workflow commands: what the runner reads off a step's output.
 * Values are escaped as the runner unescapes them, so nothing in one can start a command of its own.
 */
import { randomBytes } from "node:crypto";

export interface WorkflowCommands {
  /** From here on the runner shows `***` in its place. Comes before any output that could hold the value. */
  readonly addMask: (secret: string) => void;
  readonly error: (message: string) => void;
  readonly warning: (message: string) => void;
  /** A plain line, in which nothing starts a command: no line break, and no `##[`, which counts anywhere in a line. */
  readonly say: (line: string) => void;
  /** Text of somebody else, in a folded group: no line of it is taken for a command. */
  readonly showForeignText: (title: string, text: string) => void;
}

export function createWorkflowCommands(write: (text: string) => void): WorkflowCommands {
  const issue = (command: string, data: string): void => write(`::${command}::${escapeData(data)}\n`);
  return {
    addMask: (secret) => issue("add-mask", secret),
    error: (message) => issue("error", message),
    warning: (message) => issue("warning", message),
    say: (line) => write(`${line.replaceAll(/[\r\n]+/g, " ").replaceAll("##[", "# #[")}\n`),
    showForeignText: (title, text) => {
      // The text's author must not know the word that turns commands on again.
      const resume = randomBytes(24).toString("hex");
      issue("group", title);
      issue("stop-commands", resume);
      write(text.endsWith("\n") ? text : `${text}\n`);
      write(`::${resume}::\n`);
      write("::endgroup::\n");
    },
  };
}

function escapeData(data: string): string {
  return data.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
