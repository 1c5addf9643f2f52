/**
 * A policy directory as it was in a git revision: `REV:PATH`, as in `git show`.
 * Only git's own objects are read: no hook, filter or link of the revision has a say in what is compared.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { NoAnswer, openDirectory, type OpenedDirectory } from "./answer.ts";

const execute = promisify(execFile);
const maxListBytes = 64 * 1024 * 1024;
/** More than any document may have: a larger one is refused by who reads the directory. */
const maxFileBytes = 8 * 1024 * 1024;

/** A directory of that name goes before a revision. */
export async function openSide(given: string): Promise<OpenedDirectory> {
  const isDirectory = await stat(given).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isDirectory || !given.includes(":")) {
    return openDirectory(given);
  }
  const directory = await mkdtemp(join(tmpdir(), "lanyard-revision-"));
  try {
    await writeRevision(given, directory);
    return await openDirectory(directory, given);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The files that a policy directory can have; whatever else the revision holds stays there. */
const policyFile = /^(?:[\w-]+\.ya?ml|lanyard\.lock|robots\/(?:[^/]+\/)?[^/]+\.ya?ml)$/;
/** What leads to them, where it is no folder of the revision itself. */
const policyFolder = /^robots(?:\/[^/]+)?$/;

async function writeRevision(given: string, directory: string): Promise<void> {
  const tree = (await git(given, ["rev-parse", "--verify", "--quiet", "--end-of-options", given])).trim();
  const listed = await git(given, ["ls-tree", "-r", "-l", "-z", "--full-tree", tree]);
  for (const entry of listed.split("\0")) {
    const found = /^(\d+) (\w+) ([0-9a-f]+) +(\S+)\t(.+)$/s.exec(entry);
    const [, mode = "", type, object = "", size = "", path = ""] = found ?? [];
    if (policyFolder.test(path) && (mode === "120000" || type === "commit")) {
      const what = type === "commit" ? "a submodule" : "a symbolic link";
      throw new NoAnswer(`${given}: ${path} is ${what}: a revision is read without following any`);
    }
    if (type !== "blob" || !policyFile.test(path) || path.split("/").some((part) => /^\.{1,2}$/.test(part))) {
      continue;
    }
    if (mode === "120000") {
      throw new NoAnswer(`${given}: ${path} is a symbolic link: a revision is read without following any`);
    }
    if (Number(size) > maxFileBytes) {
      throw new NoAnswer(`${given}: ${path} is too large for a policy document`);
    }
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, await readBlob(given, object));
  }
}

async function readBlob(given: string, object: string): Promise<Buffer> {
  return run(given, async () => {
    const { stdout } = await execute("git", ["cat-file", "blob", object], {
      encoding: "buffer",
      maxBuffer: maxFileBytes,
    });
    return stdout;
  });
}

async function git(given: string, args: readonly string[]): Promise<string> {
  return run(given, async () => (await execute("git", args, { maxBuffer: maxListBytes })).stdout);
}

async function run<T>(given: string, command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new NoAnswer(
      missing
        ? `${given}: there is no such directory, and no git to read a revision with`
        : `${given}: there is no such directory, and no such revision here (REV:PATH, as in main:policies)`,
    );
  }
}
