/**
 * The reason for the log where a job asks for something whose run is in a later attempt: the job is over, so whoever
 * has one of its tokens is not the job.
 */
import type { Workload } from "../../audit/record.ts";

export function describeOverAttempt({ run_id, run_attempt }: Workload): string {
  return `a later attempt of run ${run_id} has a session already: the jobs of attempt ${run_attempt} are over`;
}
