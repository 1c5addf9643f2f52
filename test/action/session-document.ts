/** A session document as a broker sends it; the claims are as short as a test needs them. */
import type { SessionDocument } from "../../broker/contract.ts";
import { digestPolicy, type SessionPolicy } from "../../policies/session-policy.ts";

export function sessionDocument(changes: Partial<SessionDocument> = {}): SessionDocument {
  const source: SessionPolicy = {
    ...{ v: 1, robot: "acme/payments/triager", roles: ["reader"], mode: "enforce" },
    ...{ grants: [], flow: [], servers: {} },
  };
  return {
    session: "session-1",
    robot: "acme/payments/triager",
    roles: ["reader"],
    workload: {
      iss: "https://token.actions.githubusercontent.com",
      repository_id: "456789",
      run_id: "1",
      run_attempt: "1",
      check_run_id: null,
    },
    claims: { repository: "acme/payments" },
    expires_at: "2026-11-22T12:00:00.000Z",
    max_expires_at: "2026-11-22T14:00:00.000Z",
    policy: { digest: digestPolicy(source), source },
    servers: {},
    audit: { segment_bytes: 65_536, segment_interval_ms: 1_000, salt: "c2FsdA" },
    review_url: "https://lanyard.acme.dev/runs/1",
    ...changes,
  };
}
