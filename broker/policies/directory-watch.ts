/**
 * Notices that a policy directory changed: by the file system's word where it gives one, and by looking every ten seconds
 * wherever it does not (network mounts, a directory that is swapped as a whole).
 */
import { type FSWatcher, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const POLL_MS = 10_000;
/** Editors write in several steps: the reload begins after the last one that comes quickly. */
const DEBOUNCE_MS = 100;
/** Directories of owners; further ones are noticed by looking. */
const MAX_WATCHED = 200;

export interface DirectoryWatch {
  stop(): void;
}

/** `onChange` is called while nothing else of it runs; what happens in the meantime calls it once more. */
export function watchDirectory(directory: string, onChange: () => Promise<void>): DirectoryWatch {
  let watchers: FSWatcher[] = [];
  let isStopped = false;
  let isRunning = false;
  let isWanted = false;
  let timer: NodeJS.Timeout | undefined;

  const run = async (): Promise<void> => {
    timer = undefined;
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    while (isWanted && !isStopped) {
      isWanted = false;
      await onChange();
    }
    isRunning = false;
  };
  const schedule = (): void => {
    if (isStopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void run(), DEBOUNCE_MS).unref();
  };
  /** Again and again: what was swapped for something else is watched under its name no longer. */
  const listen = async (): Promise<void> => {
    const paths = await listDirectories(directory);
    if (isStopped) return;
    const opened = paths.flatMap((path) => openWatcher(path, schedule) ?? []);
    for (const watcher of watchers) watcher.close();
    watchers = opened;
  };
  const poll = setInterval(() => {
    void listen();
    void run();
  }, POLL_MS).unref();
  void listen();

  return {
    stop: () => {
      isStopped = true;
      clearInterval(poll);
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Undefined where the file system gives no word of changes. */
function openWatcher(path: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, onEvent);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

async function listDirectories(directory: string): Promise<string[]> {
  const robots = join(directory, "robots");
  const owners = await readdir(robots).catch(() => []);
  return [directory, robots, ...owners.slice(0, MAX_WATCHED).map((owner) => join(robots, owner))];
}
