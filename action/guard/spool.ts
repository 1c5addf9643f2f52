/**
 * The spool: the log on the runner's disk, one line per record, and the only way into it.
 * A record that is returned was written in one completed write and survives a kill of this process.
 * After a write that failed nothing is recorded any more, and so nothing forwarded.
 */
import { constants, openSync, readSync, writeSync } from "node:fs";
import type { Chain } from "../../audit/chain.ts";
import type { AuditRecord, Entry } from "../../audit/record.ts";
import { type Recorder, RecordingFailed } from "../../proxy/recorder.ts";
import { CREATE_NEW, PRIVATE_FILE_MODE } from "../runner/private-files.ts";

/** A record as it lies in the spool. */
export interface SpooledRecord {
  readonly record: AuditRecord;
  /** With its line break. */
  readonly line: Buffer;
  /** Of its first byte in the file. */
  readonly offset: number;
}

export interface SpoolOptions {
  readonly path: string;
  readonly chain: Chain;
  readonly now: () => Date;
  /** Why this entry must not be recorded now; undefined: nothing stands against it. */
  readonly refuse: (kind: Entry["kind"]) => string | undefined;
  /** Told of each record once it is written. */
  readonly onRecord: (spooled: SpooledRecord) => void;
}

export interface Spool {
  /** Throws `RecordingFailed`. */
  readonly record: Recorder["record"];
  /** Bytes that were written before, whatever happened to the file's name meanwhile. */
  readonly read: (offset: number, length: number) => Buffer;
}

/** Throws when the file is there already or cannot be made. */
export function openSpool(options: SpoolOptions): Spool {
  const descriptor = openSync(
    options.path,
    (CREATE_NEW & ~constants.O_WRONLY) | constants.O_RDWR,
    PRIVATE_FILE_MODE,
  );
  let offset = 0;
  let failed: unknown;
  const record = (entry: Entry): AuditRecord => {
    if (failed !== undefined) throw new RecordingFailed("the log cannot be written", { cause: failed });
    const refusal = options.refuse(entry.kind);
    if (refusal !== undefined) throw new RecordingFailed(refusal);
    const { record, line } = options.chain.append(entry, options.now());
    const bytes = Buffer.from(line);
    try {
      writeWhole(descriptor, bytes);
    } catch (cause) {
      failed = cause;
      throw new RecordingFailed("the log cannot be written", { cause });
    }
    options.onRecord({ record, line: bytes, offset });
    offset += bytes.length;
    return record;
  };
  return {
    record,
    read: (from, length) => {
      const buffer = Buffer.alloc(length);
      for (let done = 0; done < length; ) {
        const read = readSync(descriptor, buffer, done, length - done, from + done);
        if (read === 0) throw new Error("the spool is shorter than what was written to it");
        done += read;
      }
      return buffer;
    },
  };
}

/** A write may be short, on a disk that is nearly full for one: the rest follows, or the record counts as not written. */
function writeWhole(descriptor: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) {
    const written = writeSync(descriptor, bytes, done);
    if (written === 0) throw new Error("the file takes no more bytes");
    done += written;
  }
}
