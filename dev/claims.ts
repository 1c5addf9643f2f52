/**
 * The claims of one job, as GitHub Actions sends them: every name, the same types, the same order of ids.
 * A job is described in the words a workflow author knows; what follows from them is filled in.
 */

export interface Job {
  readonly repository: string;
  readonly repositoryId: string;
  readonly ownerId: string;
  /** Path below the repository: `.github/workflows/triage.yml`. */
  readonly workflow: string;
  readonly workflowName: string;
  readonly event: string;
  readonly ref: string;
  readonly sha: string;
  readonly runId: string;
  readonly runNumber: string;
  readonly runAttempt: string;
  /** One per job of a run; null on servers that do not send it. */
  readonly checkRunId: string | null;
  readonly actor: string;
  readonly actorId: string;
  readonly headRef?: string;
  readonly baseRef?: string;
  readonly environment?: string;
  /** A reusable workflow the job runs in, with its ref; by default the workflow itself. */
  readonly jobWorkflowRef?: string;
  readonly runnerEnvironment?: "github-hosted" | "self-hosted";
}

/** What the token says of the job, without `iss`, `aud`, `jti` and the times. */
export function claimsOfJob(job: Job): Record<string, string> {
  const [owner = "", name = ""] = job.repository.split("/");
  const workflowRef = `${job.repository}/${job.workflow}@${job.ref}`;
  const subject =
    job.environment !== undefined
      ? `environment:${job.environment}`
      : job.event === "pull_request"
        ? "pull_request"
        : `ref:${job.ref}`;
  return {
    sub: `repo:${owner}@${job.ownerId}/${name}@${job.repositoryId}:${subject}`,
    ...(job.environment === undefined ? {} : { environment: job.environment }),
    ref: job.ref,
    sha: job.sha,
    repository: job.repository,
    repository_owner: owner,
    repository_owner_id: job.ownerId,
    run_id: job.runId,
    run_number: job.runNumber,
    run_attempt: job.runAttempt,
    repository_visibility: "private",
    repository_id: job.repositoryId,
    actor_id: job.actorId,
    actor: job.actor,
    workflow: job.workflowName,
    head_ref: job.headRef ?? "",
    base_ref: job.baseRef ?? "",
    event_name: job.event,
    ref_protected: "true",
    ref_type: job.ref.startsWith("refs/tags/") ? "tag" : "branch",
    workflow_ref: workflowRef,
    workflow_sha: job.sha,
    job_workflow_ref: job.jobWorkflowRef ?? workflowRef,
    job_workflow_sha: job.sha,
    runner_environment: job.runnerEnvironment ?? "github-hosted",
    ...(job.checkRunId === null ? {} : { check_run_id: job.checkRunId }),
  };
}
