/**
 * Which process runs on which core: load and upstream server on one, whatever is measured on another.
 * Where that cannot be had (no `taskset`, one core) it says so, and the report repeats it.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export type Side = "load" | "contender";

export type Pinning =
  | { readonly kind: "taskset"; readonly cores: Readonly<Record<Side, number>> }
  | { readonly kind: "none"; readonly reason: string };

/** Takes the first and the last core this process may use. */
export async function choosePinning(): Promise<Pinning> {
  let answer: string;
  try {
    ({ stdout: answer } = await run("taskset", ["-cp", String(process.pid)]));
  } catch {
    return { kind: "none", reason: "there is no taskset on this machine" };
  }
  const cores = parseCoreList(answer.slice(answer.lastIndexOf(":") + 1));
  const load = cores[0];
  const contender = cores.at(-1);
  if (load === undefined || contender === undefined || load === contender) {
    return { kind: "none", reason: "this process may use one core only" };
  }
  try {
    await run("taskset", ["-c", String(contender), "true"]);
  } catch {
    return { kind: "none", reason: "taskset is not allowed to pin processes here" };
  }
  return { kind: "taskset", cores: { load, contender } };
}

/** `0-2,5` → 0, 1, 2, 5. Anything else gives no cores. */
export function parseCoreList(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    if (first === undefined) return [];
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index);
  });
}

/** The command that runs `command` where its side belongs. `taskset` becomes the command: the process id stays. */
export function pinCommand(pinning: Pinning, side: Side, command: readonly string[]): [string, string[]] {
  const [file = "", ...args] =
    pinning.kind === "none" ? command : ["taskset", "-c", String(pinning.cores[side]), ...command];
  return [file, args];
}

/** Moves this process, with all its threads, to the side of the load: it must not disturb what it measures. */
export async function pinSelf(pinning: Pinning): Promise<void> {
  if (pinning.kind === "none") return;
  await run("taskset", ["-acp", String(pinning.cores.load), String(process.pid)]);
}

export function describePinning(pinning: Pinning): string {
  return pinning.kind === "none"
    ? `not pinned to cores: ${pinning.reason}`
    : `load and upstream server on core ${pinning.cores.load}, contender on core ${pinning.cores.contender} (taskset)`;
}
