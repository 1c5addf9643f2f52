/**
 * File commands: outputs, state and the job summary, which the runner reads from files of the step.
 * Each value stands between delimiters that nobody can guess, so no value can end early and add another.
 */
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";

/** Paths of the current step's files; the runner gives new ones to each step and deletes them after it. */
export interface FileCommandPaths {
  readonly output: string | undefined;
  readonly state: string | undefined;
  readonly summary: string | undefined;
}

export interface FileCommands {
  setOutput(name: string, value: string): void;
  saveState(name: string, value: string): void;
  appendSummary(markdown: string): void;
}

/** Without a path (outside a runner) nothing is written. */
export function createFileCommands(paths: FileCommandPaths): FileCommands {
  const append = (path: string | undefined, text: string): void => {
    if (path !== undefined) appendFileSync(path, text);
  };
  return {
    setOutput: (name, value) => append(paths.output, renderPair(name, value)),
    saveState: (name, value) => append(paths.state, renderPair(name, value)),
    appendSummary: (markdown) => append(paths.summary, markdown.endsWith("\n") ? markdown : `${markdown}\n`),
  };
}

function renderPair(name: string, value: string): string {
  const delimiter = `lanyard_${randomUUID()}`;
  return `${name}<<${delimiter}\n${value}\n${delimiter}\n`;
}
