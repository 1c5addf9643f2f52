/**
 * Where the gate writes its log. A record that is returned is written: it survives a kill of the process.
 * When it cannot be written, `record` throws `RecordingFailed` and nothing may be forwarded.
 */
import type { AuditRecord, Entry } from "../audit/record.ts";

export interface Recorder {
  /** Synchronous on purpose: between a decision and its record nothing else can happen. */
  record(entry: Entry): AuditRecord;
}

export class RecordingFailed extends Error {
  readonly code = "recording_failed";
}
