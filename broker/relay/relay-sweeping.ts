/**
 * The relay's logs that nobody else brings to the bucket: of sessions that ended without a seal, and of those that have
 * become large and whose replica is gone.
 */
import { LARGE_LOG_BYTES, packRelay, sealRelay } from "../custody/relay-packing.ts";
import type { Services } from "../services.ts";
import { listUnpacked } from "../storage/sessions/relay-logs.ts";
import { findSession } from "../storage/sessions/sessions.ts";
import { describeRelayGenesis } from "./relay-genesis.ts";

/** A session that ran out can come back with the same key; after so long nobody does. */
const EXPIRY_GRACE_MS = 10 * 60_000;
const SESSIONS_AT_A_TIME = 100;

/** Throws where one could not be stored; the others were tried before. */
export async function packEndedRelays(
  services: Pick<Services, "publicUrl" | "database" | "bucket" | "signingKeys" | "now">,
): Promise<void> {
  const { database, now } = services;
  const due = await listUnpacked(database, {
    expiredBefore: now() - EXPIRY_GRACE_MS,
    largeBytes: LARGE_LOG_BYTES,
    limit: SESSIONS_AT_A_TIME,
  });
  const failures: unknown[] = [];
  for (const { id, isOver } of due) {
    try {
      const session = await findSession(database, id);
      if (session === undefined) continue;
      const genesis = describeRelayGenesis(session, services);
      if (isOver) await sealRelay(session, { reason: `the session is ${session.state}`, genesis }, services);
      else await packRelay(session, genesis, services);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, "the log of what was relayed was not stored");
}
