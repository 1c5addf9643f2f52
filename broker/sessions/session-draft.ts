/**
 * The row of a session that is about to be opened: everything that stays as it is for the session's life.
 * What the policy documents say later changes nothing in it.
 */
import { randomBytes } from "node:crypto";
import { canonicalize } from "../../audit/canonical.ts";
import { sessionPrefix } from "../../audit/object-path.ts";
import type { BindingMatch } from "../../policies/binding/binding.ts";
import { serversOf } from "../../policies/policies.ts";
import { digestPolicy, sessionPolicyOf } from "../../policies/session-policy.ts";
import type { VerifiedSubject } from "../identity/subject-token.ts";
import type { Services } from "../services.ts";
import type { PolicyRow, SessionRow } from "../storage/schema.ts";
import { runIdOf, workloadIdOf } from "./run-id.ts";
import { sealSalt } from "./salt.ts";
import { shortNameOf, timestampOf } from "./session-row.ts";

const ID_BYTES = 16;

export interface SessionDraft {
  readonly session: SessionRow;
  readonly policy: PolicyRow;
}

export interface DraftOptions {
  readonly subject: VerifiedSubject;
  readonly match: BindingMatch;
  readonly services: Services;
}

export async function draftSession({ subject, match, services }: DraftOptions): Promise<SessionDraft> {
  const { policies, sealingKey } = services;
  const { claims, workload } = subject;
  const now = services.now();
  const session = `ses_${randomBytes(ID_BYTES).toString("hex")}`;
  const source = sessionPolicyOf(policies, match.robot, match.roles);
  const policy = { digest: digestPolicy(source), source: canonicalize(source), created_at: now };
  const maxExpiresAt = now + match.maxSeconds * 1000;
  return {
    policy,
    session: {
      id: session,
      workload: workloadIdOf(workload),
      run: runIdOf(workload),
      robot: match.robot,
      roles: JSON.stringify(match.roles),
      binding: match.binding,
      claims: JSON.stringify(claims),
      policy: policy.digest,
      servers: JSON.stringify(serversOf(policies, source)),
      sealed_salt: await sealSalt(session, sealingKey),
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
