/**
 * A problem in a policy document: where it is and what to change there.
 * Problems are collected, never thrown: whoever fixes a directory sees all of them at once.
 */

export interface Problem {
  /** Relative to the policy directory, with `/`. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Where in the document: `robots.triager.bindings[0].ref`. Empty for the document itself. */
  readonly key: string;
  readonly message: string;
  /** True: its line holds what nobody must see. */
  readonly concealed?: true;
}

export type Path = readonly (string | number)[];

/** Writes a path the way JSON paths are written: `roles.reader.grants[0]`. */
export function renderPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") {
      return `${text}[${step}]`;
    }
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** One file is told this many problems at once: enough to work on, whoever wrote a document that has more. */
export const MAX_PROBLEMS = 100;

/** The first problems of one file; where there are more, the last one says so. */
export function limitProblems(problems: Iterable<Problem>): Problem[] {
  const found = [...Iterator.from(problems).take(MAX_PROBLEMS + 1)];
  const more = found.length > MAX_PROBLEMS ? found.pop() : undefined;
  return more === undefined
    ? found
    : [...found, { ...more, key: "", message: "there are more problems from here on: correct these first" }];
}

/** By file, then by place: the order in which a person works through them. */
export function orderProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) =>
      Number(a.file > b.file) - Number(a.file < b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      Number(a.message > b.message) - Number(a.message < b.message),
  );
}
