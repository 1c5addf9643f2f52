/**
 * Reads the files of a policy directory. Which files there are is decided here; what they say, elsewhere.
 * A file whose name is almost right is a problem: ignored, it would look as if it were in force.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { PolicyFile } from "./document.ts";
import { orderProblems, type Problem } from "./problem.ts";
import { MAX_DOCUMENT_BYTES } from "./yaml-restrictions.ts";

export type PolicyFiles =
  | { readonly ok: true; readonly files: readonly PolicyFile[]; readonly problems: readonly Problem[] }
  /** There is no such directory, or it cannot be read. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

const requiredFiles = ["servers.yaml", "roles.yaml"];
/** Names that somebody would write in place of the right ones. */
const misnamed = new Map([
  ["servers.yml", "servers.yaml"],
  ["server.yaml", "servers.yaml"],
  ["roles.yml", "roles.yaml"],
  ["role.yaml", "roles.yaml"],
  ["robots.yaml", "robots/OWNER/REPO.yaml"],
  ["robots.yml", "robots/OWNER/REPO.yaml"],
  ["robot", "robots"],
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
  const paths = requiredFiles.filter((required) => names.includes(required));
  for (const owner of (await list("robots")) ?? []) {
    const documents = await list(`robots/${owner}`);
    const checked = sortDocuments(owner, documents);
    paths.push(...checked.paths);
    problems.push(...checked.problems);
  }
  const files: PolicyFile[] = [];
  for (const path of paths) {
    const read = await readPolicyFile(directory, path);
    if (typeof read === "string") {
      problems.push(problemOf(path, read));
    } else {
      files.push(read);
    }
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

/** The file, or the sentence that says why it cannot be read. */
async function readPolicyFile(directory: string, path: string): Promise<PolicyFile | string> {
  try {
    const { size } = await stat(join(directory, path));
    if (size > MAX_DOCUMENT_BYTES) {
      return `the file is larger than ${MAX_DOCUMENT_BYTES / 1024} KiB: no document needs that`;
    }
    const bytes = await readFile(join(directory, path));
    return { path, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
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
