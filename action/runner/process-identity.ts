/**
 * A process that is known for certain: its id together with when it started.
 * An id alone may by now belong to another process, which must not be ended.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface ProcessIdentity {
  readonly pid: number;
  /** As the system writes it; only compared. */
  readonly started: string;
}

/** Undefined when there is no such process, or only what is left of one. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const started = process.platform === "linux" ? readLinuxStart(pid) : readStartByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.started === identity.started;
}

/** Resolves once it is gone, true, or after `timeoutMs`, false. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const pollMs = 20;
  for (const deadline = performance.now() + timeoutMs; isRunning(identity); ) {
    if (performance.now() >= deadline) return false;
    // Not our child: the system tells its end to nobody else.
    await sleep(pollMs);
  }
  return true;
}

/** Ends it: first with a request, then, after `graceMs`, by force. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  signal(identity, "SIGTERM");
  if (await waitForEnd(identity, graceMs)) return;
  signal(identity, "SIGKILL");
  await waitForEnd(identity, graceMs);
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch {
    // It ended in between, or is no longer ours to signal: the caller looks whether it runs.
  }
}

/** Field 22 of /proc/<pid>/stat, in clock ticks since boot; field 2 may hold spaces and brackets. */
function readLinuxStart(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ended = fields[0] === "Z" || fields[0] === "X";
  return ended ? undefined : fields[19];
}

function readStartByPs(pid: number): string | undefined {
  try {
    const answer = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
    }).trim();
    return answer === "" || answer.startsWith("Z") ? undefined : answer.replace(/^\S+\s+/, "");
  } catch {
    return undefined;
  }
}
