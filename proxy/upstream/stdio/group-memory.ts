/**
 * The memory of process groups, read from /proc: of all processes in a group together, however they came into it.
 * Elsewhere than on Linux nothing can be read, and nothing is found.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

const DEFAULT_PAGE_KIB = 4;
const PAGE_KIB = /^KernelPageSize:\s+(\d+) kB$/m;
/** Read in one go; in between, others have their turn. */
const SLICE = 16;
const PSS = /^Pss:\s+(\d+) kB$/m;

interface Member {
  readonly pid: string;
  readonly group: number;
  readonly residentBytes: number;
}

let pageBytes: number | undefined;

/** Processes of these groups that are alive. */
export async function listMembers(groups: ReadonlySet<number>): Promise<Member[]> {
  pageBytes ??= Number(PAGE_KIB.exec(readText("/proc/self/smaps"))?.[1] ?? DEFAULT_PAGE_KIB) * 1024;
  const members: Member[] = [];
  const pids = listPids();
  for (const [index, pid] of pids.entries()) {
    if (index % SLICE === SLICE - 1) {
      await nextTurn();
    }
    const member = readMember(pid, pageBytes);
    if (member !== undefined && groups.has(member.group)) {
      members.push(member);
    }
  }
  return members;
}

/** Pages that several share count once among them; where that cannot be read, as often as they are shared. */
export function readShares(members: readonly Member[]): number {
  return members.reduce((sum, { pid, residentBytes }) => {
    const [, kib] = PSS.exec(readText(`/proc/${pid}/smaps_rollup`)) ?? [];
    return sum + (kib === undefined ? residentBytes : Number(kib) * 1024);
  }, 0);
}

/** proc(5): the name of the program stands in parentheses and may hold any; its group is the third field after it. */
function readMember(pid: string, pageBytes: number): Member | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 22);
  const [group, pages] = [Number(fields[2]), Number(fields[21])];
  return Number.isSafeInteger(group) && Number.isSafeInteger(pages) && group > 0
    ? { pid, group, residentBytes: pages * pageBytes }
    : undefined;
}

function listPids(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  } catch {
    return [];
  }
}

/** Nothing of what is gone by now, or somebody else's. */
function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
