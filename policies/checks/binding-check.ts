/**
 * Whether one binding can match at all, and whether an earlier one always decides before it.
 * What GitHub puts into `ref` for an event is from "Events that trigger workflows" in its documentation.
 */
import { isTrustedTrigger, TRUSTED_TRIGGERS } from "./trigger.ts";
import { findNearestName } from "../documents/nearest-name.ts";
import type { Path } from "../documents/problem.ts";
import type { Binding } from "../documents/robots-document.ts";

export interface BindingFault {
  /** Within the binding. */
  readonly path: Path;
  readonly message: string;
}

export const DEFAULT_RUNNER = "github-hosted";

export function checkRef(binding: Binding): BindingFault[] {
  const { ref, pull_request, events } = binding;
  if (ref === undefined && pull_request === undefined) {
    return [
      { path: [], message: '"ref" is missing. The branch or tag the run is on, in full: refs/heads/main.' },
    ];
  }
  if (ref !== undefined && pull_request !== undefined) {
    return [{ path: ["pull_request"], message: "it stands in place of ref: remove one of them" }];
  }
  return events.flatMap((event, index) => {
    const message = ref === undefined ? neverOnPullRequest(event) : neverOnRef(event, ref);
    return message === undefined ? [] : [{ path: ["events", index], message }];
  });
}

function neverOnPullRequest(event: string): string | undefined {
  if (event === "pull_request_target" || isTrustedTrigger(event)) {
    return `${event} never runs on the merge commit of a pull request: it needs a binding with ref`;
  }
  return undefined;
}

/** The merge queue builds on branches of its own, whose names end in a commit. */
const mergeQueue = "refs/heads/gh-readonly-queue/";

function neverOnRef(event: string, ref: string): string | undefined {
  if (event === "merge_group" && !ref.startsWith(mergeQueue)) {
    return `merge_group runs on ${mergeQueue}…, never on ${ref}: remove it`;
  }
  if (event === "release" && !ref.startsWith("refs/tags/")) {
    return `release runs on the tag of the release (refs/tags/…), never on ${ref}: it needs a binding of its own`;
  }
  return undefined;
}

/** For each event of `binding` that an earlier binding decides in every case: its index, and the number of that binding. */
export function findCoveredEvents(
  binding: Binding,
  earlier: readonly Binding[],
): { event: number; by: number }[] {
  return binding.events.flatMap((name, event) => {
    const by = earlier.findIndex((other) => other.events.includes(name) && coversFields(other, binding));
    return by < 0 ? [] : [{ event, by: by + 1 }];
  });
}

/** Whether every run that `binding` matches, its event aside, is one that `other` matches. */
function coversFields(other: Binding, binding: Binding): boolean {
  return (
    other.workflow === binding.workflow &&
    other.ref === binding.ref &&
    other.pull_request?.base_ref === binding.pull_request?.base_ref &&
    (other.runner ?? DEFAULT_RUNNER) === (binding.runner ?? DEFAULT_RUNNER) &&
    other.job_workflow_ref === binding.job_workflow_ref &&
    (other.environment === undefined || other.environment === binding.environment)
  );
}

/** "did you mean", for an event that only looks like a trusted one. */
export function suggestTrigger(event: string): string {
  const nearest = findNearestName(event, TRUSTED_TRIGGERS);
  return nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
}
