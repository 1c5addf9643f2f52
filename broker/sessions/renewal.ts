/**
 * Renewal: the same job, shown by a fresh subject token, keeps its session, up to the robot's maximum.
 * The binding must still match: a robot that was taken away is not prolonged, what it was granted does not grow.
 * A job whose run is in a later attempt is over: nothing of it is prolonged.
 */
import { matchBinding } from "../../policies/binding/binding.ts";
import type { Policies } from "../../policies/policies.ts";
import type { RenewResponse } from "../contract.ts";
import type { VerifiedSubject } from "../identity/subject-token.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import { findOver } from "../storage/ledger/later-attempt.ts";
import type { SessionRow } from "../storage/schema.ts";
import { describeOverAttempt } from "./over-attempt.ts";
import { workloadIdOf } from "./run-id.ts";
import type { SessionCaller } from "./session-caller.ts";
import { policyOf, rolesOf } from "./session-row.ts";
import { issueSessionToken } from "./session-token.ts";

export type Renewed = { readonly ok: true; readonly response: RenewResponse };

export async function renew(
  { session, thumbprint }: SessionCaller,
  subjectToken: string,
  services: Services,
): Promise<Renewed | Refused> {
  const { subjectTokens, ledger, database, now } = services;
  const subject = await subjectTokens.verify(subjectToken);
  if (!subject.ok) return subject;
  const { iss, jti } = subject.claims;
  const objection = objectTo(session, subject, services.policies.current.policies);
  const expiresAt = Math.min(now() + session.ttl_seconds * 1000, session.max_expires_at);
  const outcome = await ledger.renew({
    token: { iss, jti, expiresAt: subject.expiresAt },
    prolongation: objection === undefined ? { id: session.id, expiresAt } : undefined,
  });
  if (outcome === "token_replayed") {
    return refuse("subject_token_replayed", `jti ${JSON.stringify(jti)}`);
  }
  if (objection !== undefined) return objection;
  if (outcome === "not_prolonged") {
    if (await findOver(database, session.workload)) {
      return refuse("attempt_over", describeOverAttempt(subject.workload));
    }
    return refuse("session_over", `session ${session.id} ended while it was renewed`);
  }
  const renewed = { ...session, expires_at: expiresAt };
  const { token, expiresIn } = await issueSessionToken(renewed, {
    thumbprint,
    workload: subject.workload,
    services,
  });
  return { ok: true, response: { access_token: token, expires_in: expiresIn, policy: policyOf(session) } };
}

/** Why this token does not prolong this session; undefined: it does. */
function objectTo(session: SessionRow, subject: VerifiedSubject, policies: Policies): Refused | undefined {
  if (workloadIdOf(subject.workload) !== session.workload) {
    return refuse(
      "workload_differs",
      `session ${session.id} is not of workload ${workloadIdOf(subject.workload)}`,
    );
  }
  const match = matchBinding(policies, subject.claims, { robot: session.robot, roles: rolesOf(session) });
  return match.ok
    ? undefined
    : refuse("robot_refused", `${match.code}: ${JSON.stringify(match.detail)}`, match.detail.mismatches);
}
