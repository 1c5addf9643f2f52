/**
 * The files of one step by which it talks to the runner: new names for each step, read and deleted after it.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A larger summary is dropped, with an error. */
const MAX_SUMMARY_BYTES = 1024 * 1024;

export interface StepFiles {
  readonly variables: Readonly<Record<string, string>>;
  /** What the step wrote. Throws when a file is not of the runner's format. */
  collect(): Promise<Collected>;
}

export interface Collected {
  readonly outputs: Record<string, string>;
  readonly state: Record<string, string>;
  readonly environment: Record<string, string>;
  readonly paths: string[];
  readonly summary: string;
  /** The runner's own words about what it dropped. */
  readonly errors: string[];
}

const FILES = {
  GITHUB_OUTPUT: "set_output_",
  GITHUB_STATE: "save_state_",
  GITHUB_ENV: "set_env_",
  GITHUB_PATH: "add_path_",
  GITHUB_STEP_SUMMARY: "step_summary_",
};

export async function createStepFiles(runnerTemp: string): Promise<StepFiles> {
  const directory = join(runnerTemp, "_runner_file_commands");
  await mkdir(directory, { recursive: true });
  const paths = new Map(
    Object.entries(FILES).map(([variable, prefix]) => [variable, join(directory, prefix + randomUUID())]),
  );
  for (const path of paths.values()) await writeFile(path, "");
  const take = async (variable: keyof typeof FILES): Promise<string> => {
    const path = paths.get(variable) ?? "";
    const text = await readFile(path, "utf8");
    await rm(path);
    return text;
  };
  return {
    variables: Object.fromEntries(paths),
    collect: async () => {
      const [outputs, state, environment, added, summary] = [
        await take("GITHUB_OUTPUT"),
        await take("GITHUB_STATE"),
        await take("GITHUB_ENV"),
        await take("GITHUB_PATH"),
        await take("GITHUB_STEP_SUMMARY"),
      ];
      const { NODE_OPTIONS: refused, ...variables } = parsePairs(environment);
      const isTooLarge = Buffer.byteLength(summary) > MAX_SUMMARY_BYTES;
      return {
        outputs: parsePairs(outputs),
        state: parsePairs(state),
        environment: variables,
        paths: added.split(/\r?\n/).filter((path) => path !== ""),
        summary: isTooLarge ? "" : summary,
        errors: [
          ...(refused === undefined
            ? []
            : ["Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV'."]),
          ...(isTooLarge
            ? ["$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k."]
            : []),
        ],
      };
    },
  };
}

/** `name=value`, or `name<<delimiter`, lines, delimiter. */
export function parsePairs(text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (line === "") continue;
    const [, plainName, plainValue] = /^([^=<]+)=(.*)$/.exec(line) ?? [];
    const [, name, delimiter] = /^([^=]+?)<<(.+)$/.exec(line) ?? [];
    if (plainName !== undefined && plainValue !== undefined) {
      pairs[plainName] = plainValue;
    } else if (name !== undefined && delimiter !== undefined) {
      const end = lines.indexOf(delimiter, index + 1);
      if (end === -1) throw new Error(`Matching delimiter not found '${delimiter}'`);
      pairs[name] = lines.slice(index + 1, end).join("\n");
      index = end;
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return pairs;
}
