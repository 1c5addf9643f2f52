/**
 * An action as the runner reads it: `action.yml` of its folder, JavaScript actions for Node 24 only.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const ActionFile = z.object({
  name: z.string(),
  inputs: z
    .record(z.string(), z.object({ required: z.boolean().optional(), default: z.string().optional() }))
    .default({}),
  runs: z.object({ using: z.literal("node24"), main: z.string(), post: z.string().optional() }),
});

export interface Action {
  readonly directory: string;
  readonly main: string;
  readonly post: string | undefined;
  readonly inputs: z.infer<typeof ActionFile>["inputs"];
}

export async function readAction(directory: string): Promise<Action> {
  const file = ActionFile.parse(parse(await readFile(join(directory, "action.yml"), "utf8")));
  const { main, post } = file.runs;
  return {
    directory,
    main: join(directory, main),
    post: post === undefined ? undefined : join(directory, post),
    inputs: file.inputs,
  };
}

/**
 * `INPUT_<NAME>`: upper case, spaces become `_`, hyphens stay. Defaults are filled in, `""` when there is none.
 * An input that the action does not declare is passed on all the same.
 */
export function inputVariables(
  action: Action,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const defaults = Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? ""]);
  const values = { ...Object.fromEntries(defaults), ...given } as Record<string, string>;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
      value,
    ]),
  );
}
