/**
 * The variables that describe a job to its steps, as GitHub sets them.
 */
import type { Job } from "../claims.ts";

export function variablesOfJob(job: Job): Record<string, string> {
  const [owner = ""] = job.repository.split("/");
  const isTag = job.ref.startsWith("refs/tags/");
  return {
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_ACTOR: job.actor,
    GITHUB_ACTOR_ID: job.actorId,
    GITHUB_API_URL: "https://api.github.com",
    GITHUB_BASE_REF: job.baseRef ?? "",
    GITHUB_EVENT_NAME: job.event,
    GITHUB_HEAD_REF: job.headRef ?? "",
    GITHUB_JOB: "job",
    GITHUB_REF: job.ref,
    GITHUB_REF_NAME: job.ref.replace(/^refs\/(heads|tags|pull)\//, ""),
    GITHUB_REF_PROTECTED: "true",
    GITHUB_REF_TYPE: isTag ? "tag" : "branch",
    GITHUB_REPOSITORY: job.repository,
    GITHUB_REPOSITORY_ID: job.repositoryId,
    GITHUB_REPOSITORY_OWNER: owner,
    GITHUB_REPOSITORY_OWNER_ID: job.ownerId,
    GITHUB_RUN_ATTEMPT: job.runAttempt,
    GITHUB_RUN_ID: job.runId,
    GITHUB_RUN_NUMBER: job.runNumber,
    GITHUB_SERVER_URL: "https://github.com",
    GITHUB_SHA: job.sha,
    GITHUB_TRIGGERING_ACTOR: job.actor,
    GITHUB_WORKFLOW: job.workflowName,
    GITHUB_WORKFLOW_REF: `${job.repository}/${job.workflow}@${job.ref}`,
    GITHUB_WORKFLOW_SHA: job.sha,
    RUNNER_ARCH: process.arch === "arm64" ? "ARM64" : "X64",
    RUNNER_ENVIRONMENT: job.runnerEnvironment ?? "github-hosted",
    RUNNER_NAME: "lanyard-dev",
    RUNNER_OS: process.platform === "darwin" ? "macOS" : "Linux",
  };
}
