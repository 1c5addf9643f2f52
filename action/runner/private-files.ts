/**
 * Files that only this user may read, in a directory that only this user may enter.
 * Nothing is written through a symlink or over a file that is there already: somebody else could have put it there.
 */
import { chmodSync, closeSync, constants, fstatSync, lstatSync, mkdtempSync, openSync } from "node:fs";
import { readSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const DIRECTORY_MODE = 0o700;
export const PRIVATE_FILE_MODE = 0o600;
export const CREATE_NEW =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_APPEND;

/** A new directory below `parent`, with a name that could not be known before. */
export function createPrivateDirectory(parent: string): string {
  const directory = mkdtempSync(join(realpathSync(parent), "lanyard-"));
  chmodSync(directory, DIRECTORY_MODE);
  return directory;
}

/** Throws where the name is taken, by a file, a symlink or anything else. */
export function writePrivateFile(path: string, content: string): void {
  const descriptor = openSync(path, CREATE_NEW, PRIVATE_FILE_MODE);
  try {
    writeFileSync(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The end of a file that others may have replaced meanwhile, at most `maxBytes` of it.
 * Undefined: there is none, or it is a symlink, a pipe or anything else than a regular file.
 */
export function readEndOfFile(path: string, maxBytes: number): string | undefined {
  const descriptor = openForeignFile(path);
  if (descriptor === undefined) return undefined;
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    const length = readSync(descriptor, buffer, 0, buffer.length, Math.max(0, size - maxBytes));
    return buffer.toString("utf8", 0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Opens for reading without following a symlink and without waiting for a pipe's other end. */
export function openForeignFile(path: string): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  return undefined;
}

/** Removes a directory of ours with all that is in it; a symlink in its place is removed, not followed. */
export function removePrivateDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** The same, except for one file in it. */
export function removeExcept(directory: string, kept: string): void {
  if (!lstatSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const name of readdirSync(directory)) {
    if (name !== kept) rmSync(join(directory, name), { recursive: true, force: true });
  }
}
