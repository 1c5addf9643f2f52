/**
 * `run` in a condition: the claims that describe a run, under their wire names, and what follows from them.
 * A claim that is missing or no text is missing here too: a condition that needs it cannot be evaluated, and denies.
 */
import { pullRequestNumberOf } from "./checks/trigger.ts";

const runClaims = [
  "actor",
  "actor_id",
  "base_ref",
  "check_run_id",
  "enterprise",
  "enterprise_id",
  "environment",
  "event_name",
  "head_ref",
  "job_workflow_ref",
  "job_workflow_sha",
  "ref",
  "ref_protected",
  "ref_type",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "repository_visibility",
  "run_attempt",
  "run_id",
  "run_number",
  "runner_environment",
  "sha",
  "workflow",
  "workflow_ref",
  "workflow_sha",
];

/** Every name that `run` can have, with its CEL type. */
export const RUN_FACT_TYPES: Readonly<Record<string, "string" | "double">> = {
  ...Object.fromEntries(runClaims.map((name) => [name, "string" as const])),
  repository_name: "string",
  pull_request_number: "double",
};

export type RunFacts = ReadonlyMap<string, string | number>;

export function collectRunFacts(claims: Readonly<Record<string, unknown>>): RunFacts {
  const facts = new Map<string, string | number>();
  for (const name of runClaims) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (typeof value === "string") {
      facts.set(name, value);
    }
  }
  const [repository, ref] = [claims["repository"], claims["ref"]];
  if (typeof repository === "string" && repository.includes("/")) {
    facts.set("repository_name", repository.slice(repository.indexOf("/") + 1));
  }
  const number = typeof ref === "string" ? pullRequestNumberOf(ref) : undefined;
  if (number !== undefined) {
    facts.set("pull_request_number", number);
  }
  return facts;
}
