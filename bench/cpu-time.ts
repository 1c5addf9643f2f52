/** The processor time a process and its children have used, all threads together, read from outside so that it costs them nothing. */
import { readdir, readFile } from "node:fs/promises";

/**
 * Microseconds since the process started, or undefined where the system does not say (it takes Linux).
 * `schedstat` counts nanoseconds; `/proc/PID/stat` counts ticks of ten milliseconds, which a short round drowns in.
 */
export async function readCpuTimeUs(pid: number): Promise<number | undefined> {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const times = await Promise.all(
      threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8")),
    );
    return times.reduce((sum, time) => sum + Number.parseInt(time, 10) / 1000, 0);
  } catch {
    return undefined;
  }
}

/** The same for the process with its children and theirs, of which those that have ended do not count. */
export async function readTreeCpuTimeUs(pid: number): Promise<number | undefined> {
  const own = await readCpuTimeUs(pid);
  const below = await Promise.all((await listChildren(pid)).map(readTreeCpuTimeUs));
  return own === undefined ? undefined : below.reduce<number>((sum, time) => sum + (time ?? 0), own);
}

async function listChildren(pid: number): Promise<number[]> {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const lists = await Promise.all(
      threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8")),
    );
    return lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
  } catch {
    return [];
  }
}
