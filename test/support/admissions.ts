/** What an exchange hands to the storage, made up: by default of a job, a key and a session of its own. */
import { randomUUID } from "node:crypto";
import type { Exchange } from "../../broker/storage/ledger/ledger.ts";
import type { SessionRow, WorkloadRow } from "../../broker/storage/schema.ts";

export interface AdmissionParts {
  readonly workload?: Partial<WorkloadRow>;
  readonly session?: Partial<SessionRow>;
  readonly jti?: string;
  readonly proofJti?: string;
  /** No binding matches. */
  readonly refused?: boolean;
}

export function admissionOf({
  workload: workloadParts,
  session: sessionParts,
  jti = randomUUID(),
  proofJti = randomUUID(),
  refused = false,
}: AdmissionParts = {}): Exchange {
  const now = Date.now();
  const iss = "https://issuer.example";
  const workload: WorkloadRow = {
    id: randomUUID(),
    run: "r",
    iss,
    repository_id: "1",
    run_id: "1",
    run_attempt: "1",
    check_run_id: "1",
    thumbprint: "key",
    bound_at: now,
    ...workloadParts,
  };
  const id = `ses_${randomUUID()}`;
  const policy = { digest: "d", source: "{}", created_at: now };
  const session: SessionRow = {
    id,
    workload: workload.id,
    run: workload.run,
    robot: "acme/payments/triager",
    roles: '["reader"]',
    binding: 1,
    claims: "{}",
    policy: policy.digest,
    narrowed_policy: null,
    revoke_on_change: 0,
    checked_against: "",
    servers: "{}",
    salt_key: "",
    object_prefix: `${id}/`,
    state: "active",
    ttl_seconds: 900,
    created_at: now,
    expires_at: now + 900_000,
    max_expires_at: now + 7_200_000,
    ended_at: null,
    recovered_at: null,
    final_segment: null,
    ...sessionParts,
  };
  return {
    proof: { thumbprint: workload.thumbprint, jti: proofJti, expiresAt: now },
    token: { iss, jti, expiresAt: now },
    workload,
    draft: refused ? undefined : { session, policy },
    takeover: { before: "owned by ", after: "" },
  };
}
