/**
 * Finds the sessions below a folder that holds what a bucket holds, and reads their objects.
 * Reads only, nothing larger than it is asked for, and follows no link to another folder.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { MANIFEST_OBJECT } from "../../../audit/object-path.ts";
import type { SessionSource } from "../../../audit/verification/verification.ts";

export interface SessionFolder {
  /** Absolute: its partitions say whose log it should be. */
  readonly path: string;
  readonly source: SessionSource;
}

/** Undefined when `path` is no folder. Sorted by path. */
export async function findSessionFolders(path: string): Promise<SessionFolder[] | undefined> {
  const root = resolve(path);
  const found = await stat(root).catch(() => undefined);
  if (!found?.isDirectory()) {
    return undefined;
  }
  const folders: SessionFolder[] = [];
  for await (const folder of walk(root)) {
    folders.push({ path: folder, source: openFolder(folder) });
  }
  return folders.sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** A session's folder is told by its name or, where it was copied elsewhere, by what is in it. */
async function* walk(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  const holdsSession = entries.some(
    (entry) => entry.name === MANIFEST_OBJECT || entry.name === "runner" || entry.name === "recovered",
  );
  if (holdsSession || /[/\\]session=[^/\\]*$/.test(folder)) {
    yield folder;
    return;
  }
  for (const entry of entries) {
    if (entry.isDirectory()) {
      yield* walk(join(folder, entry.name));
    }
  }
}

function openFolder(folder: string): SessionSource {
  return {
    list: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
    },
    read: async (object, maxBytes) => {
      const file = join(folder, object);
      const found = await stat(file);
      if (!found.isFile()) {
        throw new Error(`${object} is not a file`);
      }
      // Nobody looks into what is too long.
      return found.size > maxBytes ? new Uint8Array(maxBytes + 1) : readFile(file);
    },
  };
}
