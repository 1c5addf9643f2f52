/**
 * Reads the files of a policy directory. Which files there are is decided here; what they say, elsewhere.
 * A file whose name is almost right is a problem: ignored, it would look as if it were in force.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readBoundedFile } from "./bounded-file.ts";
import type { PolicyFile } from "./document.ts";
import { orderProblems, type Problem } from "./problem.ts";
import { describeSize, DOCUMENT_BOUNDS, LOCK_BOUNDS } from "./yaml-restrictions.ts";

export type PolicyFiles =
  | { readonly ok: true; readonly files: readonly PolicyFile[]; readonly problems: readonly Problem[] }
  /** There is no such directory, or it cannot be read. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

const requiredFiles = ["servers.yaml", "roles.yaml"];
export const LOCK_FILE = "lanyard.lock";
/** Of all files together: twenty thousand robots as they are provisioned. Time and memory of a load grow with it. */
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;
/** Ten times what the largest organisations have repositories with robots; whoever adds more must not use up the memory. */
const MAX_DOCUMENTS = 10_000;
/** Names that somebody would write in place of the right ones. */
const misnamed = new Map([
  ["servers.yml", "servers.yaml"],
  ["server.yaml", "servers.yaml"],
  ["roles.yml", "roles.yaml"],
  ["role.yaml", "roles.yaml"],
  ["robots.yaml", "robots/OWNER/REPO.yaml"],
  ["robots.yml", "robots/OWNER/REPO.yaml"],
  ["robot", "robots"],
  ["lanyard.lock.yaml", LOCK_FILE],
  ["lanyard.lock.yml", LOCK_FILE],
  ["lanyard.lock.json", LOCK_FILE],
  ["lanyard.yaml", LOCK_FILE],
  ["lock.yaml", LOCK_FILE],
  ["test.yaml", "tests/NAME.yaml"],
  ["test.yml", "tests/NAME.yaml"],
  ["tests.yaml", "tests/NAME.yaml"],
  ["tests.yml", "tests/NAME.yaml"],
  ["test", "tests"],
]);

export async function readPolicyFiles(directory: string): Promise<PolicyFiles> {
  const problems: Problem[] = [];
  const list = async (path: string): Promise<string[] | undefined> => {
    const listed = await listDirectory(join(directory, path));
    if (typeof listed === "string") {
      problems.push(problemOf(path, listed));
      return [];
    }
    return listed;
  };
  const names = await list(".");
  if (names === undefined) {
    return { ok: false, problems: [problemOf(".", `there is no directory ${directory}`)] };
  }
  if (problems.length > 0) {
    return { ok: false, problems };
  }
  for (const name of names) {
    const right = misnamed.get(name);
    if (right !== undefined) {
      problems.push(problemOf(name, `this file is not read: rename it to ${right}`));
    }
  }
  for (const name of requiredFiles.filter((required) => !names.includes(required))) {
    problems.push(problemOf(name, `there is no ${name} in ${directory}: write one`));
  }
  const paths = [...requiredFiles, LOCK_FILE].filter((path) => names.includes(path));
  const owners = await list("robots");
  if (owners === undefined && names.includes("robots")) {
    problems.push(problemOf("robots", "this is not a directory, or it is just being replaced"));
  }
  for (const owner of owners ?? []) {
    const documents = await list(`robots/${owner}`);
    const checked = sortDocuments(owner, documents);
    paths.push(...checked.paths);
    problems.push(...checked.problems);
  }
  if (paths.length > MAX_DOCUMENTS) {
    problems.push(
      problemOf("robots", `there are more than ${MAX_DOCUMENTS} documents: none of them is read`),
    );
    paths.length = 0;
  }
  const files: PolicyFile[] = [];
  let total = 0;
  for (const path of paths) {
    const read = await readPolicyFile(directory, path);
    if (typeof read === "string") {
      problems.push(problemOf(path, read));
      continue;
    }
    total += read.text.length;
    if (total > MAX_DIRECTORY_BYTES) {
      const message = `the documents up to this one hold more than ${MAX_DIRECTORY_BYTES / 1024 / 1024} MiB: none after it is read`;
      problems.push(problemOf(path, message));
      break;
    }
    files.push(read);
  }
  return { ok: true, files, problems: orderProblems(problems) };
}

/** `names` is undefined where `robots/OWNER` is no directory. */
function sortDocuments(owner: string, names: string[] | undefined): { paths: string[]; problems: Problem[] } {
  if (names === undefined) {
    const message = "this file is not read: move it to robots/OWNER/REPO.yaml";
    return { paths: [], problems: /\.ya?ml$/.test(owner) ? [problemOf(`robots/${owner}`, message)] : [] };
  }
  const paths = names.filter((name) => name.endsWith(".yaml")).map((name) => `robots/${owner}/${name}`);
  const others = names.filter((name) => name.endsWith(".yml"));
  const message = "this file is not read: rename it to end in .yaml";
  return { paths, problems: others.map((name) => problemOf(`robots/${owner}/${name}`, message)) };
}

/** Sorted, without hidden files; undefined where there is no directory; the sentence where it cannot be read. */
async function listDirectory(directory: string): Promise<string[] | string | undefined> {
  try {
    const names = await readdir(directory);
    return names.filter((name) => !name.startsWith(".")).sort();
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    return `the directory cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

const unreadable = {
  not_a_file: "this is not a file: put the document itself here",
  changing: "the file changed while it was read: write it anew and rename it into place",
};

/** The file, or the sentence that says why it cannot be read. */
export async function readPolicyFile(directory: string, path: string): Promise<PolicyFile | string> {
  try {
    const bounds = path === LOCK_FILE ? LOCK_BOUNDS : DOCUMENT_BOUNDS;
    const read = await readBoundedFile(join(directory, path), bounds.maxBytes);
    if (read.kind === "too_large") {
      return `the file is ${describeSize(bounds)}`;
    }
    if (read.kind !== "read") {
      return unreadable[read.kind];
    }
    return { path, text: new TextDecoder("utf-8", { fatal: true }).decode(read.bytes) };
  } catch (error) {
    if (error instanceof TypeError) {
      return "the file is not UTF-8: save it as UTF-8";
    }
    return `the file cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

function problemOf(file: string, message: string): Problem {
  return { file, line: 1, column: 1, key: "", message };
}
