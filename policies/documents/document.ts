/**
 * One policy document: text → a value of its schema, or every problem in it, each with its place.
 * What is found later, across documents, is placed by `problemAt`.
 */
import * as z from "zod/mini";
import { describeIssue } from "./document-issue.ts";
import { limitProblems, MAX_PROBLEMS, type Path, type Problem, renderPath } from "./problem.ts";
import { parseYaml, type YamlDocument } from "./yaml-document.ts";
import { DOCUMENT_BOUNDS, type DocumentBounds } from "./yaml-restrictions.ts";

/** A file of a policy directory: its path is relative to the directory, with `/`. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string;
}

export interface PolicyDocument<T> {
  readonly path: string;
  readonly value: T;
  problemAt(path: Path, message: string): Problem;
  /** At the key itself, not at its value. */
  problemAtKey(path: Path, message: string): Problem;
  /** At one character of a text. */
  problemIn(path: Path, index: number, message: string): Problem;
}

export type ReadDocument<T> =
  | { readonly ok: true; readonly document: PolicyDocument<T> }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readDocument<S extends z.ZodMiniType>(
  schema: S,
  file: PolicyFile,
  bounds: DocumentBounds = DOCUMENT_BOUNDS,
): ReadDocument<z.output<S>> {
  const parsed = parseYaml(file.text, bounds);
  if (!parsed.ok) {
    return {
      ok: false,
      problems: limitProblems(parsed.faults.map((fault) => ({ file: file.path, ...fault }))),
    };
  }
  const yaml = parsed.document;
  const place = placeProblems(file.path, yaml);
  if (yaml.data === null) {
    return { ok: false, problems: [place.problemAt([], "the document is empty")] };
  }
  const result = z.safeParse(schema, yaml.data);
  if (result.success) {
    return { ok: true, document: { path: file.path, value: result.data, ...place } };
  }
  const checked = { schema, data: yaml.data, sourceOf: (path: Path) => yaml.sourceOf(path) };
  const findings = result.error.issues
    .slice(0, MAX_PROBLEMS + 1)
    .values()
    .flatMap((issue) => describeIssue(issue, checked))
    .map(({ path, atKey, message }) =>
      atKey ? place.problemAtKey(path, message) : place.problemAt(path, message),
    );
  return { ok: false, problems: limitProblems(findings) };
}

function placeProblems(file: string, yaml: YamlDocument): Omit<PolicyDocument<unknown>, "path" | "value"> {
  const problem = (path: Path, message: string) => ({
    file,
    key: renderPath(path),
    message,
    // Whoever writes a secret by mistake writes it here.
    ...(path[0] === "credentials" && { concealed: true as const }),
  });
  return {
    problemAt: (path, message) => ({ ...problem(path, message), ...yaml.locate(path) }),
    problemAtKey: (path, message) => ({ ...problem(path, message), ...yaml.locateKey(path) }),
    problemIn: (path, index, message) => ({ ...problem(path, message), ...yaml.locateIn(path, index) }),
  };
}
