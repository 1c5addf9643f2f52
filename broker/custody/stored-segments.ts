/**
 * Which of the announced segments the bucket really holds: an upload that was answered with success is not yet proof.
 * A store that keeps no checksum is read.
 */
import { createHash } from "node:crypto";
import type { SegmentEntry } from "../../audit/manifest.ts";
import { segmentObject } from "../../audit/object-path.ts";
import type { SegmentRow, SessionRow } from "../storage/schema.ts";
import { type Bucket, ObjectTooLarge } from "./bucket.ts";

const CONCURRENT_CHECKS = 8;

export interface SegmentCheck {
  readonly row: SegmentRow;
  /** There, with its size and its digest. */
  readonly stored: boolean;
}

/** In the order of `rows`. */
export async function checkStored(
  bucket: Bucket,
  session: SessionRow,
  rows: readonly SegmentRow[],
): Promise<SegmentCheck[]> {
  const checks: SegmentCheck[] = [];
  for (let start = 0; start < rows.length; start += CONCURRENT_CHECKS) {
    const batch = rows.slice(start, start + CONCURRENT_CHECKS);
    checks.push(
      ...(await Promise.all(
        batch.map(async (row) => ({
          row,
          stored: await isStored(bucket, session.object_prefix + segmentObject("runner", row.segment), row),
        })),
      )),
    );
  }
  return checks;
}

/** Whether the object is there, and is this one. */
export async function isStored(
  bucket: Bucket,
  key: string,
  row: { readonly bytes: number; readonly sha256: string },
): Promise<boolean> {
  const found = await bucket.stat(key);
  if (found === undefined || found.bytes !== row.bytes) return false;
  if (found.sha256 !== undefined) return found.sha256 === row.sha256;
  try {
    const body = await bucket.read(key, row.bytes);
    return body !== undefined && createHash("sha256").update(body).digest("hex") === row.sha256;
  } catch (error) {
    // Replaced between the two requests, by whoever can: it is not the segment.
    if (error instanceof ObjectTooLarge) return false;
    throw error;
  }
}

export function describeSegment({ segment, ...row }: SegmentRow): SegmentEntry {
  const { bytes, sha256, first_seq, last_seq, prev, head } = row;
  return { object: segmentObject("runner", segment), bytes, sha256, first_seq, last_seq, prev, head };
}
