/** The tables of the relay: its log of a session, from the first record in a row to the last object in the bucket. */

export interface RelayTables {
  relay_logs: RelayLogRow;
  relay_records: RelayRecordsRow;
  relay_segments: RelaySegmentRow;
}

/** Where the log of one session stands. There is none before the first relayed call. */
export interface RelayLogRow {
  session: string;
  next_seq: number;
  /** `hash` and `time` of the last record. */
  head: string;
  time: string;
  /** JSON: what the session has used up, see policies/usage.ts. */
  usage: string;
  /** JSON: its calls, as a seal counts them. */
  totals: string;
  /** Of records that are in no segment yet. */
  unpacked_bytes: number;
  /** From then on no record is added. */
  sealed_at: number | null;
  /** Sealed, and all of it is in the bucket. */
  packed_at: number | null;
}

/** Records that were written in one transaction. */
export interface RelayRecordsRow {
  session: string;
  first_seq: number;
  last_seq: number;
  prev: string;
  head: string;
  bytes: number;
  /** As they stand in the log, newlines included. */
  lines: string;
}

/** Decided first: whoever stores it, and however often, stores the same records. */
export interface RelaySegmentRow {
  session: string;
  segment: number;
  first_seq: number;
  last_seq: number;
  prev: string;
  head: string;
  /** Of the object, once it is stored. */
  bytes: number | null;
  sha256: string | null;
  stored_at: number | null;
}
