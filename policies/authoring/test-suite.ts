/**
 * Reads the unit tests of a policy directory: tests/*.yaml, each checked by itself and against the policies it is about.
 * One problem in one file, and nothing is run: a test that was skipped would look as if it had passed.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readPolicyFile } from "../documents/directory.ts";
import { type PolicyDocument, type PolicyFile, readDocument } from "../documents/document.ts";
import { orderProblems, type Problem } from "../documents/problem.ts";
import { TestDocument } from "../documents/test-document.ts";
import type { Policies } from "../policies.ts";
import { checkTests } from "./test-check.ts";

export type TestSuite =
  | {
      readonly ok: true;
      readonly documents: readonly PolicyDocument<TestDocument>[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly files: readonly PolicyFile[] };

const folder = "tests";

/** No documents where the directory has no tests. */
export async function readTestSuite(directory: string, policies: Policies): Promise<TestSuite> {
  const listed = await listTests(directory);
  const files: PolicyFile[] = [];
  const problems: Problem[] = [];
  for (const path of listed) {
    const misnamed = /\.yml$/.test(path);
    const read = misnamed
      ? "this file is not read: rename it to end in .yaml"
      : await readPolicyFile(directory, path);
    if (typeof read === "string") {
      problems.push({ file: path, line: 1, column: 1, key: "", message: read });
    } else {
      files.push(read);
    }
  }
  const suite = assembleTestSuite(files, policies);
  if (suite.ok && problems.length === 0) {
    return suite;
  }
  return { ok: false, files, problems: orderProblems([...problems, ...(suite.ok ? [] : suite.problems)]) };
}

/** The same, of files that are in memory already. */
export function assembleTestSuite(files: readonly PolicyFile[], policies: Policies): TestSuite {
  const problems: Problem[] = [];
  const documents = files.flatMap((file) => {
    const read = readDocument(TestDocument, file);
    problems.push(...(read.ok ? checkTests(read.document, policies) : read.problems));
    return read.ok ? [read.document] : [];
  });
  return problems.length === 0
    ? { ok: true, documents }
    : { ok: false, problems: orderProblems(problems), files };
}

async function listTests(directory: string): Promise<string[]> {
  try {
    const names = await readdir(join(directory, folder));
    return names
      .filter((name) => !name.startsWith(".") && /\.ya?ml$/.test(name))
      .sort()
      .map((name) => `${folder}/${name}`);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return [];
    }
    throw new Error(`${join(directory, folder)} cannot be read`, { cause: error });
  }
}
