/**
 * What a proxy that was killed could not take with it: its stdio servers, which run in directories of their own.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { sep } from "node:path";

/** Ends every process that works below `directory`. Where there is no /proc, the runner's own sweep ends them. */
export function endProcessesBelow(directory: string): number {
  if (process.platform !== "linux") return 0;
  const below = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && worksBelow(pid, directory));
  for (const pid of below) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It ended in between.
    }
  }
  return below.length;
}

function worksBelow(pid: string, directory: string): boolean {
  if (Number(pid) === process.pid) return false;
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    return cwd === directory || cwd.startsWith(directory + sep);
  } catch {
    // It ended, or belongs to somebody else.
    return false;
  }
}
