/**
 * One binding against the claims of one workload, field by field. Every comparison is equality of whole strings.
 */
import { DEFAULT_RUNNER } from "../checks/binding-check.ts";
import type { Claims } from "../claims.ts";
import type { Mismatch } from "./mismatch.ts";
import type { Binding } from "../documents/robots-document.ts";
import { pullRequestNumberOf } from "../checks/trigger.ts";

export interface FieldComparison extends Mismatch {
  readonly matches: boolean;
}

/** The fields that the binding asks about, in the order in which they are compared. The binding matches if all do. */
export function compareFields(binding: Binding, claims: Claims): FieldComparison[] {
  const { environment, job_workflow_ref, pull_request, ref } = binding;
  // `OWNER/REPO/PATH@REF` is compared as a whole, built from claims that are compared too: there is nothing to parse.
  const workflowRef = `${claims.repository}/${binding.workflow}@${claims.ref}`;
  return [
    compare("workflow_ref", workflowRef, claims.workflow_ref),
    {
      field: "event_name",
      expected: binding.events.join(" or "),
      got: claims.event_name,
      matches: binding.events.includes(claims.event_name),
    },
    ref === undefined ? comparePullRequest(claims) : compare("ref", ref, claims.ref),
    ...(pull_request === undefined ? [] : [compare("base_ref", pull_request.base_ref, claims.base_ref)]),
    compare("runner_environment", binding.runner ?? DEFAULT_RUNNER, claims.runner_environment),
    ...(environment === undefined ? [] : [compare("environment", environment, claims.environment)]),
    compare("job_workflow_ref", job_workflow_ref ?? workflowRef, claims.job_workflow_ref),
  ];
}

function compare(field: string, expected: string, got: string | undefined): FieldComparison {
  return { field, expected, got: got ?? "no claim", matches: expected === got };
}

function comparePullRequest({ ref }: Claims): FieldComparison {
  const matches = pullRequestNumberOf(ref) !== undefined;
  return { field: "ref", expected: "refs/pull/<number>/merge", got: ref, matches };
}
