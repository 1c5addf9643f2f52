/** The session document: what a proxy needs to know to stand guard, and nothing of other sessions or robots. */
import { SessionPolicy } from "../../policies/session-policy.ts";
import type { SessionDocument } from "../contract.ts";
import type { Services } from "../services.ts";
import { readPolicy } from "../storage/policies.ts";
import type { SessionRow } from "../storage/schema.ts";
import { reviewUrlOf } from "./run-id.ts";
import { deriveSalt } from "./salt.ts";
import { claimsOf, policyOf, rolesOf, serversOfRow, timestampOf, workloadOf } from "./session-row.ts";

/** So much can be lost with a runner, before compression … */
const SEGMENT_BYTES = 256 * 1024;
/** … or of so much time, whichever is less. */
const SEGMENT_INTERVAL_MS = 3_000;

export async function describeSession(row: SessionRow, services: Services): Promise<SessionDocument> {
  const digest = policyOf(row);
  const source = await readPolicy(services.database, digest);
  if (source === undefined) {
    throw new Error(`the policy ${digest} of session ${row.id} is not stored`);
  }
  return {
    session: row.id,
    robot: row.robot,
    roles: rolesOf(row),
    workload: workloadOf(row),
    claims: claimsOf(row),
    expires_at: timestampOf(row.expires_at),
    max_expires_at: timestampOf(row.max_expires_at),
    policy: { digest, source: SessionPolicy.parse(JSON.parse(source)) },
    servers: serversOfRow(row),
    audit: {
      segment_bytes: SEGMENT_BYTES,
      segment_interval_ms: SEGMENT_INTERVAL_MS,
      salt: deriveSalt(row, services.sealingKey),
    },
    review_url: reviewUrlOf(services.publicUrl, row.run),
  };
}
