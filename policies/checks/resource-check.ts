/**
 * Whether a pattern of resources names what its writer reads in it: facts that runs have, and whole ones.
 */
import { suggestNames } from "../documents/nearest-name.ts";
import { RUN_FACT_TYPES } from "../run-facts.ts";

export interface PatternFault {
  /** Within the pattern. */
  readonly index: number;
  readonly message: string;
}

const facts = new Set(Object.keys(RUN_FACT_TYPES));

export function checkResource(pattern: string): PatternFault[] {
  return [...pattern.matchAll(/\{run\.([a-z_]+)\}(\*?)/g)].flatMap(
    ({ 0: written, 1: fact = "", 2: star, index }) => {
      if (!facts.has(fact)) {
        return [{ index, message: `a run has no "${fact}": ${suggestNames(fact, facts)}` }];
      }
      const name = written.slice(0, -1);
      const message = `${written} also names what only begins like it: write ${name}/*, or ${name} without the *`;
      return star === "*" ? [{ index, message }] : [];
    },
  );
}
