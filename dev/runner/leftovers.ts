/**
 * What outlives a job: every process whose environment has the job's tracking id is ended, without a request first.
 */
import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { promisify } from "node:util";

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** Returns what was there and is ended now. */
export async function endLeftovers(trackingId: string): Promise<Leftover[]> {
  const leftovers = (await findTracked(trackingId)).filter(({ pid }) => pid !== process.pid);
  for (const { pid } of leftovers) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended in between.
    }
  }
  return leftovers;
}

/** Every process that was started with this id in its environment. */
export async function findTracked(trackingId: string): Promise<Leftover[]> {
  return process.platform === "linux" ? findInProc(trackingId) : findByPs(trackingId);
}

async function findInProc(trackingId: string): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readProc(`/proc/${name}/environ`);
    if (!environment.includes(`RUNNER_TRACKING_ID=${trackingId}`)) continue;
    const command = (await readProc(`/proc/${name}/cmdline`)).join(" ").trim();
    found.push({ pid: Number(name), command });
  }
  return found;
}

/** The parts between the zero bytes; none where the process is gone or somebody else's. */
async function readProc(path: string): Promise<string[]> {
  try {
    return (await readFile(path, "utf8")).split("\0");
  } catch {
    return [];
  }
}

async function findByPs(trackingId: string): Promise<Leftover[]> {
  const { stdout } = await promisify(execFile)("ps", ["-axwwE", "-o", "pid=,command="]);
  return stdout
    .split("\n")
    .filter((line) => line.includes(`RUNNER_TRACKING_ID=${trackingId}`))
    .map((line) => {
      const [, pid = "0", command = ""] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
      return { pid: Number(pid), command };
    });
}
