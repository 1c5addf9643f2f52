/**
 * An exchange by a job that belongs to another key: refused, and a finding on every page of its run.
 * Whoever does this could mint a subject token, so it is a step of the same job.
 */
import type { Proof } from "../identity/dpop-proof.ts";
import type { VerifiedSubject } from "../identity/subject-token.ts";
import { type Refused, refuse } from "../refusals.ts";
import { recordFinding } from "../storage/findings.ts";
import type { Queries, WorkloadRow } from "../storage/schema.ts";
import type { Scope } from "./scope.ts";

export interface Takeover {
  readonly subject: VerifiedSubject;
  readonly proof: Proof;
  readonly scope: Scope;
  /** Who the job belongs to. */
  readonly bound: WorkloadRow;
  readonly now: number;
}

export async function recordTakeover(
  db: Queries,
  { subject, proof, scope, bound, now }: Takeover,
): Promise<Refused> {
  const robot = scope.robot ?? "the repository's robot";
  const detail =
    `A step of this job asked for a session of ${robot} with another key (${proof.thumbprint}) ` +
    `than that of the job's first exchange (${bound.thumbprint}), and a subject token of its own ` +
    `(jti ${JSON.stringify(subject.claims.jti).slice(0, 100)}).`;
  const { id: workload, run } = bound;
  await recordFinding(db, { run, workload, session: null, kind: "takeover_attempt", detail, time: now });
  return refuse("workload_taken", detail);
}
