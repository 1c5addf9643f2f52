/**
 * The runs that the bindings of a robot can tell apart, before and after a change: one made-up run for each kind.
 * Every field of a binding but the environment must be equal, so that these are all runs that match any of the bindings.
 */
import { DEFAULT_RUNNER } from "../checks/binding-check.ts";
import { type BindingMatch, matchBinding } from "../binding/binding.ts";
import type { Binding } from "../documents/robots-document.ts";
import { type Policies, type Repository, repositoryKey } from "../policies.ts";
import { claimsOfRun, runOfBinding } from "./run-fixture.ts";

/** A robot as it is known on both sides: ids and its own name do not change with a repository's name. */
export interface RobotKey {
  readonly repository: string;
  readonly name: string;
}

export interface RunClass {
  /** Of one robot no two are alike. */
  readonly event: string;
  /** What follows the event in a sentence: `on refs/heads/main, .github/workflows/triage.yml`. */
  readonly place: string;
  /** Undefined where the run gets no session. */
  readonly before: BindingMatch | undefined;
  readonly after: BindingMatch | undefined;
}

export function listRobotKeys(sides: readonly Policies[]): RobotKey[] {
  const keys = sides.flatMap(({ repositories }) =>
    [...repositories].flatMap(([repository, { robots }]) =>
      [...robots.keys()].map((name) => [JSON.stringify([repository, name]), { repository, name }] as const),
    ),
  );
  return [...new Map(keys).values()];
}

export function classifyRuns(before: Policies, after: Policies, key: RobotKey): RunClass[] {
  const candidates = [before, after].flatMap((side) => {
    const repository = side.repositories.get(key.repository);
    const bindings = repository?.robots.get(key.name)?.bindings ?? [];
    return repository === undefined
      ? []
      : bindings.flatMap((binding) => binding.events.map((event) => ({ repository, binding, event })));
  });
  const classes = new Map<string, RunClass>();
  for (const alike of Map.groupBy(candidates, fieldsOf).values()) {
    const named = alike.flatMap(({ binding }) => binding.environment ?? []);
    const environments = [...new Set(named)].sort();
    // A binding without an environment asks for none: a run in no environment stands for all that no binding names.
    for (const environment of [...environments, undefined]) {
      const [candidate] = alike;
      if (candidate !== undefined) {
        const found = matchBoth({ before, after, key, candidate, environment });
        if (found.before !== undefined || found.after !== undefined) {
          const place = describePlace(candidate.binding, environment, environments.length > 0);
          classes.set(JSON.stringify([fieldsOf(candidate), environment]), {
            event: candidate.event,
            place,
            ...found,
          });
        }
      }
    }
  }
  return [...classes.values()];
}

interface Candidate {
  readonly repository: Repository;
  readonly binding: Binding;
  readonly event: string;
}

/** All that a binding compares, the environment aside. */
function fieldsOf({ repository, binding, event }: Candidate): string {
  const { workflow, ref, pull_request, runner, job_workflow_ref } = binding;
  const { ownerId } = repository;
  return JSON.stringify([
    ownerId,
    workflow,
    event,
    ref ?? null,
    pull_request?.base_ref ?? null,
    runner ?? DEFAULT_RUNNER,
    job_workflow_ref ?? null,
  ]);
}

interface Matched {
  readonly before: Policies;
  readonly after: Policies;
  readonly key: RobotKey;
  readonly candidate: Candidate;
  readonly environment: string | undefined;
}

function matchBoth({
  before,
  after,
  key,
  candidate,
  environment,
}: Matched): Pick<RunClass, "before" | "after"> {
  const { repository, binding, event } = candidate;
  const run = { ...runOfBinding(binding, event), environment };
  const read = claimsOfRun(run, repository);
  if (!read.ok) {
    throw new Error(`a binding of ${repository.file} gives no claims: ${read.claim} ${read.message}`);
  }
  const matchOn = (side: Policies): BindingMatch | undefined => {
    const here = side.repositories.get(repositoryKey(repository.issuer, repository.id));
    const match = here?.robots.has(key.name)
      ? matchBinding(side, read.claims, { robot: key.name })
      : undefined;
    return match?.ok ? match : undefined;
  };
  return { before: matchOn(before), after: matchOn(after) };
}

function describePlace(binding: Binding, environment: string | undefined, isNamed: boolean): string {
  const { workflow, ref, pull_request, runner, job_workflow_ref } = binding;
  return [
    ref === undefined ? `into ${pull_request?.base_ref}` : `on ${ref}`,
    workflow,
    ...(environment !== undefined
      ? [`environment ${environment}`]
      : isNamed
        ? ["any other environment"]
        : []),
    ...(runner === undefined || runner === DEFAULT_RUNNER ? [] : [runner]),
    ...(job_workflow_ref === undefined ? [] : [`in ${job_workflow_ref}`]),
  ].join(", ");
}

/** A binding in the same words. */
export function describeBinding(binding: Binding): string {
  return `${binding.events.join(" or ")} ${describePlace(binding, binding.environment, false)}`;
}
