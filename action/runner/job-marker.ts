/**
 * The marker that a job has a Lanyard step already: a job has one session, and the first step has it.
 * It is made exclusively, so of two steps that start together one wins.
 */
import { hash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "./private-files.ts";

/** What tells this job from the one that used the same runner before. */
export interface JobIdentity {
  readonly repository: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly job: string;
}

/** Returns the marker's path, or undefined when the job has one. */
export function claimJob(runnerTemp: string, job: JobIdentity): string | undefined {
  const identity = hash("sha256", JSON.stringify([job.repository, job.runId, job.runAttempt, job.job]));
  const path = join(runnerTemp, `lanyard-job-${identity.slice(0, 16)}`);
  try {
    writePrivateFile(path, "");
    return path;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return undefined;
    throw cause;
  }
}

/** At the job's end; what was removed before is no concern. */
export function releaseJob(marker: string): void {
  rmSync(marker, { force: true });
}
