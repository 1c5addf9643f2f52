/**
 * Looks at the memory of all stdio servers together, as long as there are any: one look at /proc serves them all.
 * Where a group is over its limit, whoever started it is told, once.
 */
import { writeFileSync } from "node:fs";
import { listMembers, readShares } from "./group-memory.ts";

interface Watched {
  readonly maxBytes: number;
  readonly over: () => void;
}

/** Where the machine itself runs out, a server goes before the proxy: from 0, never, to 1000, first. */
const OOM_SCORE = "500";

class MemoryWatch {
  readonly #watched = new Map<number, Watched>();
  #timer: NodeJS.Timeout | undefined;

  /** Until the result is called. `everyMs` is the same for all servers of a proxy. */
  watch(group: number, watched: Watched, everyMs: number): () => void {
    this.#watched.set(group, watched);
    preferForOom(group);
    this.#timer ??= setTimeout(() => void this.#look(everyMs), everyMs).unref();
    return () => {
      this.#watched.delete(group);
    };
  }

  async #look(everyMs: number): Promise<void> {
    const members = await listMembers(new Set(this.#watched.keys()));
    for (const [group, { maxBytes, over }] of [...this.#watched]) {
      const own = members.filter((member) => member.group === group);
      // Cheap and never too low; only who seems to be over is looked at closely.
      const atMost = own.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
      const bytes = atMost > maxBytes ? readShares(own) : atMost;
      if (bytes > maxBytes && this.#watched.delete(group)) {
        over();
      }
    }
    this.#timer =
      this.#watched.size > 0 ? setTimeout(() => void this.#look(everyMs), everyMs).unref() : undefined;
  }
}

/** One for the process: there is one /proc. */
export const memoryWatch = new MemoryWatch();

/** What it forks inherits it. */
function preferForOom(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE);
  } catch {
    // Not Linux, or over already.
  }
}
