/**
 * The row of a session that is about to be opened: everything that stays as it is for the session's life.
 * What the policy documents say later gives it nothing more.
 */
import { randomBytes } from "node:crypto";
import { sessionPrefix } from "../../audit/object-path.ts";
import type { BindingMatch } from "../../policies/binding/binding.ts";
import type { VerifiedSubject } from "../identity/subject-token.ts";
import type { PolicySnapshot } from "../policies/live-policies.ts";
import type { Services } from "../services.ts";
import type { PolicyRow, SessionRow, WorkloadRow } from "../storage/schema.ts";
import { grantedPolicyOf } from "./granted-policy.ts";
import { nameSaltKey } from "./salt.ts";
import { shortNameOf, timestampOf } from "./session-row.ts";

export interface SessionDraft {
  readonly session: SessionRow;
  readonly policy: PolicyRow;
}

export interface DraftOptions {
  readonly subject: VerifiedSubject;
  /** Of the subject. */
  readonly workload: WorkloadRow;
  readonly match: BindingMatch;
  /** Those that matched. */
  readonly snapshot: PolicySnapshot;
}

export function draftSession(
  { subject, workload, match, snapshot }: DraftOptions,
  { sealingKey, now: readClock }: Services,
): SessionDraft {
  const now = readClock();
  const session = nameSession(now);
  const { digest, source, servers, roles } = grantedPolicyOf(snapshot.policies, match);
  const maxExpiresAt = now + match.maxSeconds * 1000;
  return {
    policy: { digest, source, created_at: now },
    session: {
      id: session,
      workload: workload.id,
      run: workload.run,
      robot: match.robot,
      roles,
      binding: match.binding,
      claims: JSON.stringify(subject.claims),
      policy: digest,
      narrowed_policy: null,
      revoke_on_change: match.revokeOnChange ? 1 : 0,
      checked_against: snapshot.digest,
      servers,
      salt_key: nameSaltKey(sealingKey),
      object_prefix: sessionPrefix({
        repositoryId: workload.repository_id,
        date: timestampOf(now).slice(0, 10),
        robot: shortNameOf(match.robot),
        runId: workload.run_id,
        runAttempt: workload.run_attempt,
        session,
      }),
      state: "active",
      ttl_seconds: match.ttlSeconds,
      created_at: now,
      expires_at: Math.min(now + match.ttlSeconds * 1000, maxExpiresAt),
      max_expires_at: maxExpiresAt,
      ended_at: null,
      recovered_at: null,
      final_segment: null,
    },
  };
}

/** Begins with its time, so that those of one minute lie side by side in the database; 80 bits of it are chance. */
function nameSession(now: number): string {
  return `ses_${now.toString(16).padStart(12, "0")}${randomBytes(10).toString("hex")}`;
}
