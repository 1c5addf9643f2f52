/**
 * The upload of one segment to the address that the broker signed for exactly these bytes.
 * It is stored once: that it is there already counts as stored, since nothing else could be under this name.
 */
import type { SegmentResponse } from "../../broker/contract.ts";
import { type Http, HttpFailed } from "./http-request.ts";
import type { Attempt } from "./retry.ts";

const UPLOAD_TIMEOUT_MS = 60_000;
const PRECONDITION_FAILED = 412;

export interface SegmentUpload {
  readonly upload: SegmentResponse["upload"];
  readonly body: Uint8Array;
  readonly checkpoint: string;
}

/** Gives the checkpoint once the segment is stored. Any other answer is worth another announcement: the address may have expired. */
export async function uploadSegment(http: Http, segment: SegmentUpload): Promise<Attempt<string>> {
  try {
    const { status } = await http({
      method: "PUT",
      url: segment.upload.url,
      headers: segment.upload.headers,
      body: segment.body,
      timeoutMs: UPLOAD_TIMEOUT_MS,
    });
    if ((status >= 200 && status < 300) || status === PRECONDITION_FAILED) {
      return { settled: true, value: segment.checkpoint };
    }
    return { settled: false, reason: `the bucket answered with status ${status}` };
  } catch (cause) {
    if (cause instanceof HttpFailed) {
      return { settled: false, reason: `the bucket could not be reached (${cause.message})` };
    }
    throw cause;
  }
}
