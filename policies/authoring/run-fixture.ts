/**
 * A workflow run that nobody started: the claims that GitHub would sign for it, to ask a policy about.
 * What the author leaves out is taken from a binding, so that the shortest fixture is a run which the binding is about.
 */
import { DEFAULT_RUNNER } from "../checks/binding-check.ts";
import { Claims } from "../claims.ts";
import type { Binding } from "../documents/robots-document.ts";
import type { Repository } from "../policies.ts";

/** The parts of a run that bindings are about, in the words of a binding. */
export interface RunShape {
  readonly workflow: string;
  readonly event: string;
  readonly ref: string;
  readonly base_ref?: string | undefined;
  readonly environment?: string | undefined;
  readonly runner: string;
  readonly job_workflow_ref?: string | undefined;
}

export type RunRepository = Pick<Repository, "issuer" | "name" | "id" | "ownerId">;

/** Where roles are asked about without a robot. */
export const EXAMPLE_REPOSITORY: RunRepository = {
  issuer: "https://token.actions.githubusercontent.com",
  name: "acme/example",
  id: "1",
  ownerId: "2",
};

export const EXAMPLE_RUN: RunShape = {
  workflow: ".github/workflows/agent.yml",
  event: "workflow_dispatch",
  ref: "refs/heads/main",
  runner: DEFAULT_RUNNER,
};

/** A run that matches the binding, by the event that is named or the binding's first. */
export function runOfBinding(binding: Binding, event: string = binding.events[0] ?? "push"): RunShape {
  const { workflow, ref, pull_request, runner, environment, job_workflow_ref } = binding;
  return {
    workflow,
    event,
    ref: ref ?? "refs/pull/1/merge",
    base_ref: pull_request?.base_ref,
    environment,
    runner: runner ?? DEFAULT_RUNNER,
    job_workflow_ref,
  };
}

/** What is given goes before what the run was. */
export function changeRun(
  run: RunShape,
  given: { readonly [Key in keyof RunShape]?: RunShape[Key] | undefined },
): RunShape {
  return {
    workflow: given.workflow ?? run.workflow,
    event: given.event ?? run.event,
    ref: given.ref ?? run.ref,
    base_ref: given.base_ref ?? run.base_ref,
    environment: given.environment ?? run.environment,
    runner: given.runner ?? run.runner,
    job_workflow_ref: given.job_workflow_ref ?? run.job_workflow_ref,
  };
}

export type RunClaims =
  | { readonly ok: true; readonly claims: Claims }
  | { readonly ok: false; readonly claim: string; readonly message: string };

/** `overrides` are claims under their wire names; what follows from one of them follows it. */
export function claimsOfRun(
  run: RunShape,
  repository: RunRepository,
  overrides: Readonly<Record<string, unknown>> = {},
): RunClaims {
  const textOf = (name: string, otherwise: string): string => {
    const given = Object.hasOwn(overrides, name) ? overrides[name] : undefined;
    return typeof given === "string" ? given : otherwise;
  };
  const name = textOf("repository", repository.name);
  const ref = textOf("ref", run.ref);
  const workflowRef = textOf("workflow_ref", `${name}/${run.workflow}@${ref}`);
  const result = Claims.safeParse({
    iss: repository.issuer,
    sub: `repo:${name}:ref:${ref}`,
    jti: "00000000-0000-4000-8000-000000000000",
    repository: name,
    repository_id: repository.id,
    repository_owner: name.split("/")[0] ?? name,
    repository_owner_id: repository.ownerId,
    run_id: "1",
    run_attempt: "1",
    run_number: "1",
    workflow_ref: workflowRef,
    job_workflow_ref: run.job_workflow_ref ?? workflowRef,
    event_name: run.event,
    ref,
    base_ref: run.base_ref ?? "",
    head_ref: "",
    runner_environment: run.runner,
    actor: "octocat",
    actor_id: "1",
    sha: "0".repeat(40),
    ...(run.environment !== undefined && { environment: run.environment }),
    ...overrides,
  });
  if (result.success) {
    return { ok: true, claims: result.data };
  }
  const [issue] = result.error.issues;
  return { ok: false, claim: String(issue?.path[0] ?? ""), message: issue?.message ?? "not valid" };
}
