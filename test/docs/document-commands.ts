/**
 * What a document shows that can be tried. Commands, with what it says that they print: a block of `sh`, and after it a
 * block of `text` or the comment of `policy diff` as it stands. Documents: blocks of `yaml` whose first line is a comment
 * with their path.
 */
import { readFile } from "node:fs/promises";

export interface DocumentedCommand {
  /** As a shell takes it: may go over several lines. */
  readonly command: string;
  /** What it prints, standard output and standard error together. */
  readonly output: string;
}

const block = /^```(sh|text)\n(.*?)^```$|^(<!-- lanyard policy diff -->\n.*?\n)(?=\n[^|\n*])/gms;

/** Those below one heading of the second level. Throws where a command has no output, or an output no command. */
export async function readCommands(path: string, heading: string): Promise<DocumentedCommand[]> {
  const text = await readFile(path, "utf8");
  const section = text.split(/^(?=## )/m).find((part) => part.startsWith(`## ${heading}\n`));
  if (section === undefined) throw new Error(`${path} has no heading "${heading}"`);
  const blocks = [...section.matchAll(block)].map(([, kind, content = "", comment]) => ({
    isCommand: kind === "sh",
    content: comment ?? content,
  }));
  return blocks.flatMap(({ isCommand, content }, index) => {
    const next = blocks[index + 1];
    if (isCommand !== (blocks[index + 1]?.isCommand === false)) {
      throw new Error(`${path}: a command and its output do not alternate near: ${content}`);
    }
    return isCommand && next !== undefined ? [{ command: content.trimEnd(), output: next.content }] : [];
  });
}

/** By their path. */
export async function readExamples(path: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(path, "utf8");
  const blocks = text.matchAll(/^```yaml\n(# ([\w./-]+).*?)^```$/gms);
  return new Map([...blocks].map(([, content = "", file = ""]) => [file, content]));
}
