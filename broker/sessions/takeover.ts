/**
 * An exchange by a job that belongs to another key: refused, and a finding on every page of its run.
 * Whoever does this could mint a subject token, so it is a step of the same job.
 */
import type { Proof } from "../identity/dpop-proof.ts";
import type { VerifiedSubject } from "../identity/subject-token.ts";
import type { TakeoverText } from "../storage/ledger/admissions.ts";
import type { Scope } from "./scope.ts";

/** An older GitHub Enterprise Server: the first job of an attempt takes the place of all of them. */
const JOBS_ALIKE =
  " Its issuer sends no check_run_id, so it can also have been another job of the same run attempt.";

export interface Takeover {
  readonly subject: VerifiedSubject;
  readonly proof: Proof;
  readonly scope: Scope;
}

/** Around the thumbprint of the key that the job belongs to. */
export function describeTakeover({ subject, proof, scope }: Takeover): TakeoverText {
  const robot = scope.robot ?? "the repository's robot";
  return {
    before:
      `A step of this job asked for a session of ${robot} with another key (${proof.thumbprint}) ` +
      "than that of the job's first exchange (",
    after:
      `), and a subject token of its own (jti ${JSON.stringify(subject.claims.jti).slice(0, 100)}).` +
      (subject.workload.check_run_id === null ? JOBS_ALIKE : ""),
  };
}
