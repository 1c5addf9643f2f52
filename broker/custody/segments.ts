/**
 * Segments as they are announced: each continues the one before it, is countersigned, and gets an address to upload to.
 * Announced again with the same content it gets the same checkpoint; with other content it is refused.
 */
import { segmentObject } from "../../audit/object-path.ts";
import { GENESIS_PREV } from "../../audit/record.ts";
import { signCheckpoint } from "../../audit/signature.ts";
import { MAX_UNSENT_BYTES, type SegmentRequest, type SegmentResponse } from "../contract.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import type { SegmentRow, SessionRow } from "../storage/schema.ts";
import { findSegment } from "../storage/sessions/segments.ts";
import { policyOf } from "../sessions/session-row.ts";

/** Long enough for a slow runner; an address that ran out is replaced by announcing again. */
const UPLOAD_EXPIRES_SECONDS = 300;
/** What a column of the database holds. No job writes so many records; one that says so would fail others' commits. */
const MAX_NUMBER = 2 ** 31 - 1;

export type Announced = { readonly ok: true; readonly response: SegmentResponse };
type Kept = { readonly ok: true; readonly row: SegmentRow } | Refused;

export async function announce(
  session: SessionRow,
  request: SegmentRequest,
  services: Services,
): Promise<Announced | Refused> {
  const { database, bucket } = services;
  const { segment, bytes, first_seq, last_seq } = request;
  if (bytes > MAX_UNSENT_BYTES || last_seq < first_seq || Math.max(segment, last_seq) > MAX_NUMBER) {
    return refuse(
      "request_malformed",
      `segment ${segment} of ${bytes} bytes, records ${first_seq} to ${last_seq}`,
    );
  }
  const known = await findSegment(database, session.id, segment);
  const kept =
    known === undefined ? await keep(session, request, services) : ({ ok: true, row: known } as const);
  if (!kept.ok) return kept;
  if (!isSame(kept.row, request)) {
    return refuse("segment_conflict", `session ${session.id} has another segment ${segment}`);
  }
  const { sha256, md5, checkpoint } = kept.row;
  const key = session.object_prefix + segmentObject("runner", segment);
  const upload = await bucket.presignPut(key, { bytes, sha256, md5, expiresSeconds: UPLOAD_EXPIRES_SECONDS });
  return { ok: true, response: { checkpoint, upload, policy: policyOf(session) } };
}

async function keep(session: SessionRow, request: SegmentRequest, services: Services): Promise<Kept> {
  const { ledger, signingKeys } = services;
  const announcedAt = services.now();
  const { segment, sha256, first_seq, last_seq: seq, prev, head } = request;
  // Signed first and stored in the same breath: nobody sees a checkpoint that the database does not know.
  const checkpoint = await signCheckpoint(
    { session: session.id, segment, sha256, seq, head, iat: Math.floor(announcedAt / 1000) },
    signingKeys.checkpoint,
  );
  const announced = await ledger.announce({
    row: { session: session.id, ...request, checkpoint, announced_at: announcedAt },
    start: GENESIS_PREV,
  });
  switch (announced.kind) {
    case "kept":
      return { ok: true, row: announced.row };
    case "out_of_order": {
      const { last } = announced;
      const expected = {
        segment: (last?.segment ?? 0) + 1,
        first_seq: (last?.last_seq ?? -1) + 1,
        prev: last?.head ?? GENESIS_PREV,
      };
      return refuse(
        "segment_out_of_order",
        `expected ${JSON.stringify(expected)}, got ${JSON.stringify({ segment, first_seq, prev })}`,
      );
    }
    case "over": {
      const { state, final_segment: final } = announced.session;
      return refuse(
        "segment_out_of_order",
        `session ${session.id} is ${state}, its last segment is ${final}`,
      );
    }
  }
}

function isSame(row: SegmentRow, request: SegmentRequest): boolean {
  const names = ["bytes", "sha256", "md5", "first_seq", "last_seq", "prev", "head"] as const;
  return names.every((name) => row[name] === request[name]);
}
