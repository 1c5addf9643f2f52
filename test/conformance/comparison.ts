/**
 * Where the verdicts on a server differ when it is reached another way. A scenario that differs is run again, both
 * ways: some of them wait for a fraction of a second, and what a busy machine made late is no difference.
 */
import { type Revision, runScenario, type Verdicts } from "./suite.ts";

const RUNS = 3;

export interface Compared {
  readonly url: string;
  readonly verdicts: Verdicts;
}

/** By `<scenario> <check>`: `<verdict directly> -> <verdict the other way>`. */
export type Differences = Readonly<Record<string, string>>;

export function compareVerdicts(direct: Verdicts, other: Verdicts): Differences {
  const differences: Record<string, string> = {};
  for (const check of new Set([...direct.keys(), ...other.keys()])) {
    const [before, after] = [direct.get(check) ?? "none", other.get(check) ?? "none"];
    if (before !== after) {
      differences[check] = `${before} -> ${after}`;
    }
  }
  return differences;
}

/** Those that stay, whatever the machine does; `expected` ones are not looked at twice. */
export async function findLastingDifferences(
  [direct, other]: readonly [Compared, Compared],
  revision: Revision,
  expected: Differences,
): Promise<Differences> {
  const lasting: Record<string, string> = {};
  const found = compareVerdicts(direct.verdicts, other.verdicts);
  const scenarios = new Set(
    [...Object.keys(found), ...Object.keys(expected)]
      .filter((check) => found[check] !== expected[check])
      .map(scenarioOf),
  );
  for (const [check, difference] of Object.entries(found)) {
    if (!scenarios.has(scenarioOf(check))) {
      lasting[check] = difference;
    }
  }
  for (const scenario of scenarios) {
    Object.assign(lasting, await compareAgain(direct.url, other.url, { revision, scenario, expected }));
  }
  return lasting;
}

interface Repeated {
  readonly revision: Revision;
  readonly scenario: string;
  readonly expected: Differences;
}

async function compareAgain(
  direct: string,
  other: string,
  { revision, scenario, expected }: Repeated,
): Promise<Differences> {
  const own = Object.entries(expected).filter(([check]) => scenarioOf(check) === scenario);
  let differences: Differences = {};
  for (let ran = 1; ran < RUNS; ran++) {
    differences = compareVerdicts(
      await runScenario(direct, revision, scenario),
      await runScenario(other, revision, scenario),
    );
    const isExpected =
      Object.keys(differences).length === own.length &&
      own.every(([check, difference]) => differences[check] === difference);
    if (isExpected) {
      break;
    }
  }
  return differences;
}

export function scenarioOf(check: string): string {
  return check.split(" ", 1)[0] ?? "";
}
