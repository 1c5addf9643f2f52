/**
 * The process group of a stdio server: the server and whatever it forked end together.
 */
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 20;

/** SIGTERM to the whole group, SIGKILL after `graceMs`. Resolves once no process of the group is left, or was killed. */
export async function stopProcessGroup(group: number, graceMs: number): Promise<void> {
  signalGroup(group, "SIGTERM");
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline) {
    if (!signalGroup(group, 0)) {
      return;
    }
    await delay(POLL_MS);
  }
  signalGroup(group, "SIGKILL");
}

/** False when the group has no process any more. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if (isErrno(error, "EPERM")) {
      return true;
    }
    if (isErrno(error, "ESRCH")) {
      return false;
    }
    throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
