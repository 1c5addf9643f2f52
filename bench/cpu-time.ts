/** The processor time a process has used, all its threads together, read from outside so that it costs the process nothing. */
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
