/**
 * Collects the problems of one log. Bounded: a log that is wrong everywhere is told to be, not listed in full.
 */
import type { Fault } from "./chain-verification.ts";
import type { Problem } from "./verdict.ts";

const MAX_PROBLEMS = 100;

export class ProblemList {
  readonly #problems: Problem[] = [];
  #leftOut = 0;
  #breaks = false;

  /** Whether one of them makes the log a broken one. */
  get breaks(): boolean {
    return this.#breaks;
  }

  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  /** A problem that makes the log a broken one. */
  addBreak(part: string, fault: Fault): void {
    this.add({ part, code: fault.code, message: fault.message, breaks: true });
  }

  /** A problem that is told and leaves the status as it is. */
  addNote(part: string, fault: Fault): void {
    this.add({ part, code: fault.code, message: fault.message, breaks: false });
  }

  add(problem: Problem): void {
    this.#breaks ||= problem.breaks;
    if (this.#problems.length < MAX_PROBLEMS) {
      this.#problems.push(problem);
    } else {
      this.#leftOut += 1;
    }
  }

  list(): Problem[] {
    const message = `${this.#leftOut} more problems are left out`;
    const rest: Problem = { part: "log", code: "problems_left_out", message, breaks: this.#breaks };
    return this.#leftOut === 0 ? this.#problems : [...this.#problems, rest];
  }
}
