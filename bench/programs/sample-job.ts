/** The job that the startup bench runs, over and over: each run with an id of its own, as a job has one session. */
import type { Job } from "../../dev/claims.ts";

export const ROBOT = "triager";
export const ROLE = "triager";

export const describeJob = (runNumber: number): Job => ({
  repository: "acme/payments",
  repositoryId: "456789",
  ownerId: "123456",
  workflow: ".github/workflows/triage.yml",
  workflowName: "Triage",
  event: "schedule",
  ref: "refs/heads/main",
  sha: "9f2c1a7be04d8c53f6a1e2b3c4d5e6f708192a3b",
  runId: String(7_000_000 + runNumber),
  runNumber: String(runNumber),
  runAttempt: "1",
  checkRunId: String(9_000_000 + runNumber),
  actor: "octocat",
  actorId: "583231",
});
