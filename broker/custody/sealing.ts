/**
 * Sealing: once every announced segment is stored, with its size and digest, the broker says so in a signed manifest
 * and the session ends. A segment that is missing can be uploaded again; nothing else can be added.
 */
import type { SealRequest, SealResponse } from "../contract.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import { reviewUrlOf } from "../sessions/run-id.ts";
import { recordFinding } from "../storage/sessions/findings.ts";
import type { SessionRow } from "../storage/schema.ts";
import { findLastSegment, listSegments } from "../storage/sessions/segments.ts";
import { endSession, fixFinalSegment } from "../storage/sessions/sessions.ts";
import { lockSession } from "../storage/transactions.ts";
import { describeRelayGenesis } from "../relay/relay-genesis.ts";
import { writeManifest } from "./manifests.ts";
import { sealRelay } from "./relay-packing.ts";
import { checkStored, describeSegment } from "./stored-segments.ts";

export type Sealed = { readonly ok: true; readonly response: SealResponse };

export async function seal(
  session: SessionRow,
  request: SealRequest,
  services: Services,
): Promise<Sealed | Refused> {
  const { database, bucket } = services;
  const mismatch = await database.transaction().execute(async (db) => {
    await lockSession(db, session.id);
    const last = await findLastSegment(db, session.id);
    if (
      last?.segment !== request.segments ||
      last.last_seq !== request.last_seq ||
      last.head !== request.head
    ) {
      const stored = last && { segments: last.segment, last_seq: last.last_seq, head: last.head };
      return refuse(
        "seal_mismatch",
        `announced ${JSON.stringify(stored)}, sealed ${JSON.stringify(request)}`,
      );
    }
    await fixFinalSegment(db, session.id, request.segments);
    return undefined;
  });
  if (mismatch !== undefined) return mismatch;

  const sealed: Sealed = {
    ok: true,
    response: { status: "sealed", review_url: reviewUrlOf(services.publicUrl, session.run) },
  };
  if (session.state === "sealed") return sealed;

  const checks = await checkStored(bucket, session, await listSegments(database, session.id));
  const missing = checks.filter(({ stored }) => !stored).map(({ row }) => row.segment);
  if (missing.length > 0) {
    return { ok: true, response: { status: "segments_missing", segments: missing } };
  }
  if (session.state === "recovered") await noteRecoveredAlive(session, services);
  const runner = checks.map(({ row }) => describeSegment(row));
  const genesis = describeRelayGenesis(session, services);
  const relay = await sealRelay(session, { reason: "the runner's log was sealed", genesis }, services);
  await writeManifest(session, { status: "sealed", runner, recovered: [], relay }, services);
  await endSession(database, session.id, {
    to: "sealed",
    from: ["active", "expired", "recovered"],
    at: services.now(),
  });
  return sealed;
}

/** The key holder lives although its spool was handed in. From now on its own, complete log is what counts. */
async function noteRecoveredAlive(session: SessionRow, { database, now }: Services): Promise<void> {
  await recordFinding(database, {
    run: session.run,
    workload: session.workload,
    session: session.id,
    kind: "recovered_while_alive",
    detail: "The log was recovered while the proxy was still there; the proxy then completed it.",
    time: now(),
  });
}
