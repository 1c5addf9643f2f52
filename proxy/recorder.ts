/**
 * Where the gate writes its log. A record that is returned is written: it survives a kill of the process.
 * When it cannot be written, `record` throws `RecordingFailed` and nothing may be forwarded.
 */
import type { AuditRecord, Entry } from "../audit/record.ts";

export interface Recorder {
  /** Synchronous on purpose: between a decision and its record nothing else can happen. */
  record(entry: Entry): AuditRecord;
}

const CODE = "recording_failed";

export class RecordingFailed extends Error {
  readonly code = CODE;
}

/** By the code: what is bundled apart has a class of its own. */
export function isRecordingFailure(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === CODE;
}

/** False: it cannot be recorded. */
export function wasRecorded(record: () => void): boolean {
  try {
    record();
    return true;
  } catch (error) {
    if (!isRecordingFailure(error)) {
      throw error;
    }
    return false;
  }
}
