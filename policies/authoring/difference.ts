/**
 * What a change of the documents gives to whom: for every robot and every kind of run that its bindings tell apart.
 * No gain means: no session can do anything that it could not do before. What cannot be decided counts as a gain.
 */
import type { BindingMatch } from "../binding/binding.ts";
import { sessionPolicyOf } from "../issuing.ts";
import type { Policies } from "../policies.ts";
import type { SessionPolicy } from "../session-policy.ts";
import { coversPattern, listAtoms, type Pattern } from "./access-terms.ts";
import { type Change, type Difference, type Holder, orderChanges } from "./change.ts";
import { compareRegistry } from "./registry-difference.ts";
import { classifyRuns, listRobotKeys, type RobotKey, type RunClass } from "./run-classes.ts";
import { compareMatches, compareSessions } from "./session-difference.ts";

export interface PolicyDifference {
  readonly changes: readonly Change[];
  /** The robots that gain something, and those that lose something. */
  readonly gaining: readonly string[];
  readonly losing: readonly string[];
  readonly hasGains: boolean;
  /** Those of both sides together. */
  readonly robots: number;
}

export function comparePolicies(before: Policies, after: Policies): PolicyDifference {
  const held = new HeldChanges();
  const reached = new Map<string, Pattern>();
  const sessions = new SessionComparisons(before, after);
  const keys = listRobotKeys([before, after]);
  for (const key of keys) {
    const robot = nameRobot(after, key) ?? nameRobot(before, key) ?? key.name;
    const classes = classifyRuns(before, after, key);
    for (const each of classes) {
      for (const difference of sessions.compare(each)) {
        held.add(difference, { robot, run: each, total: classes.length });
      }
      for (const pattern of sessions.reachedBy(each)) {
        reached.set(JSON.stringify(pattern), pattern);
      }
    }
  }
  const isReached = (server: string, tool: string | undefined): boolean =>
    reached
      .values()
      .some((pattern) =>
        tool === undefined
          ? pattern.server === server
          : coversPattern(pattern, { server, kind: "tool", text: tool }),
      );
  const registry = compareRegistry(before, after, isReached).map((each) => ({ ...each, holders: [] }));
  const changes = orderChanges([...held.list(), ...registry]);
  return {
    changes,
    gaining: listHolders(changes, "gained"),
    losing: listHolders(changes, "lost"),
    hasGains: changes.some(({ effect }) => effect === "gained"),
    robots: keys.length,
  };
}

function nameRobot({ repositories }: Policies, { repository, name }: RobotKey): string | undefined {
  const found = repositories.get(repository);
  return found?.robots.has(name) ? `${found.name}/${name}` : undefined;
}

function listHolders(changes: readonly Change[], effect: Change["effect"]): string[] {
  const robots = changes.flatMap((change) =>
    change.effect === effect ? change.holders.map(({ robot }) => robot) : [],
  );
  return [...new Set(robots)].sort();
}

/** Many robots have the same roles: each pair of sessions is compared once. */
class SessionComparisons {
  readonly #before: Policies;
  readonly #after: Policies;
  readonly #compared = new Map<string, readonly Difference[]>();
  readonly #reached = new Map<string, readonly Pattern[]>();

  constructor(before: Policies, after: Policies) {
    this.#before = before;
    this.#after = after;
  }

  compare({ before, after }: RunClass): Difference[] {
    const key = JSON.stringify([this.#keyOf(before, this.#before), this.#keyOf(after, this.#after)]);
    const compared =
      this.#compared.get(key) ?? compareSessions(issue(this.#before, before), issue(this.#after, after));
    this.#compared.set(key, compared);
    return before !== undefined && after !== undefined
      ? [...compared, ...compareMatches(before, after)]
      : [...compared];
  }

  /** What sessions can name after the change. */
  reachedBy({ after }: RunClass): readonly Pattern[] {
    const key = this.#keyOf(after, this.#after);
    const reached =
      this.#reached.get(key) ?? listAtoms(issue(this.#after, after)).map(({ pattern }) => pattern);
    this.#reached.set(key, reached);
    return reached;
  }

  /** The robot's name counts only where a condition looks at it. */
  #keyOf(match: BindingMatch | undefined, { roles }: Policies): string {
    const looks = match?.roles.some((role) =>
      roles.get(role)?.grants.some(({ when }) => when !== undefined && /\brobot\b/.test(when)),
    );
    return JSON.stringify(match && [match.roles, match.mode, looks ? match.robot : ""]) ?? "";
  }
}

function issue(policies: Policies, match: BindingMatch | undefined): SessionPolicy | undefined {
  return match && sessionPolicyOf(policies, match);
}

/** The same difference for many robots and runs is one change. */
class HeldChanges {
  readonly #changes = new Map<string, { difference: Difference; robots: Map<string, RunClass[]> }>();
  readonly #runs = new Map<string, number>();

  add(difference: Difference, { robot, run, total }: { robot: string; run: RunClass; total: number }): void {
    const key = JSON.stringify(difference);
    const change = this.#changes.get(key) ?? { difference, robots: new Map<string, RunClass[]>() };
    this.#changes.set(key, change);
    change.robots.set(robot, [...(change.robots.get(robot) ?? []), run]);
    this.#runs.set(robot, total);
  }

  list(): Change[] {
    return [...this.#changes.values()].map(({ difference, robots }) => {
      const holders = [...robots].map(
        ([robot, runs]): Holder =>
          runs.length === this.#runs.get(robot) ? { robot } : { robot, runs: nameRuns(runs) },
      );
      return { ...difference, holders: holders.toSorted((a, b) => (a.robot < b.robot ? -1 : 1)) };
    });
  }
}

/** Runs that differ in their event alone are named together. */
function nameRuns(runs: readonly RunClass[]): string[] {
  const alike = Map.groupBy(runs, ({ place }) => place);
  return [...alike]
    .map(([place, each]) => `${[...new Set(each.map(({ event }) => event))].sort().join(" or ")} ${place}`)
    .sort();
}
