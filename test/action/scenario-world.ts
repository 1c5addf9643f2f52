/**
 * One world for the scenarios of the Action: a real broker, GitHub's stand-in, two stdio servers, and the bundles as
 * the sources make them now, run by the runner's rules.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { JobResult, Step } from "../../dev/runner.ts";
import { type World, startWorld } from "../support/world.ts";
import { type BuiltAction, buildAction } from "../support/built-action.ts";

const PRINTS_COMMANDS = join(import.meta.dirname, "server-that-prints-commands.ts");

export interface ScenarioWorld extends World {
  /** The folder of the Action. */
  readonly action: string;
  /** The Action with these inputs in place of the usual ones. */
  use(inputs?: Record<string, string>, id?: string): Step;
}

export async function startScenarioWorld(session?: string): Promise<ScenarioWorld> {
  const action: BuiltAction = await buildAction();
  const command = JSON.stringify([process.execPath, PRINTS_COMMANDS]);
  const world = await startWorld({
    servers: `
  files: { command: ${command} }
  memory: { command: ${command}, env: { PLACE: "{runner_temp}/memory.json" }, start: eager }
`,
    roles: `
  agent:
    grants:
      - { server: files, tools: [echo] }
      - { server: memory, tools: [echo, environment] }
`,
    ...(session === undefined ? {} : { session }),
  });
  return {
    ...world,
    action: action.directory,
    use: (inputs = {}, id = "lanyard") => ({
      ...world.lanyard,
      id,
      uses: action.directory,
      with: { ...world.lanyard.with, ...inputs },
    }),
    close: async () => {
      await world.close();
      action.remove();
    },
  };
}

/** Everything a job showed, for a message when a test fails. */
export function logOf(result: JobResult): string {
  return result.steps
    .map(({ step, phase, outcome, output }) => `${step} ${phase}: ${outcome}\n${output}`)
    .join("\n");
}

/** The private directory that main made in this job. */
export function privateDirectory(runnerTemp: string): string {
  const [name, ...more] = readdirSync(runnerTemp).filter((entry) => /^lanyard-(?!job-)/.test(entry));
  if (name === undefined || more.length > 0) throw new Error("there is not exactly one private directory");
  return join(runnerTemp, name);
}

/** What the system shows of a process to everybody of its user. */
export function visibleOf(pid: number): string {
  return ["cmdline", "environ"].map((name) => readFileSync(`/proc/${pid}/${name}`, "utf8")).join("\0");
}

/** The files of a directory and below it, with their content. */
export function contentsOf(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map(({ parentPath, name }) => [
      join(parentPath, name),
      readFileSync(join(parentPath, name), "utf8"),
    ]),
  );
}
