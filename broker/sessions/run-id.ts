/**
 * Names of runs and workloads: digests over their identifying claims, so that they can stand in addresses and keys.
 * Equal claims give the same name on every replica; ids of different issuers never meet.
 */
import { hash } from "node:crypto";
import type { Workload } from "../../audit/record.ts";

const RUN_ID_LENGTH = 20;

/** The run's page is `/runs/<run id>`: one attempt of one run, all of its jobs. */
export function runIdOf(workload: Workload): string {
  const { iss, repository_id, run_id, run_attempt } = workload;
  return digestOf([iss, repository_id, run_id, run_attempt]).slice(0, RUN_ID_LENGTH);
}

/**
 * One job. Where the issuer sends no `check_run_id` (older GitHub Enterprise Servers), no claim tells the jobs of an
 * attempt apart: they are one workload, and its first exchange binds it for all of them.
 */
export function workloadIdOf(workload: Workload): string {
  const { iss, repository_id, run_id, run_attempt, check_run_id } = workload;
  return digestOf([iss, repository_id, run_id, run_attempt, check_run_id]);
}

export function reviewUrlOf(publicUrl: string, runId: string): string {
  return `${publicUrl}/runs/${runId}`;
}

function digestOf(parts: readonly (string | null)[]): string {
  return hash("sha256", JSON.stringify(parts), "hex");
}
