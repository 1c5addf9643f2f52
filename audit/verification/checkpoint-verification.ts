/**
 * Verification of the checkpoints in a log against the broker's keys and the segments as they were stored.
 * It answers how far the broker witnessed the log, which holds also where no manifest was ever written.
 */
import type { JSONWebKeySet } from "jose";
import type { Fault } from "./chain-verification.ts";
import type { CheckpointClaims } from "../manifest.ts";
import type { Digest, RecordOf } from "../record.ts";
import { verifyCheckpoint } from "../signature.ts";

/** A segment as it lies in the bucket, or as the manifest names it. */
export interface SegmentFacts {
  readonly sha256: Digest;
  readonly lastSeq: number;
  readonly head: Digest;
}

/** Where a checkpoint record was found: `segment` counts from 1, `session` is whose log it should be. */
export interface CheckpointPlace {
  readonly segment: number;
  readonly session: string | undefined;
}

/** With a `segment`, it is that segment which is wrong; otherwise the checkpoint's record. */
export interface CheckpointFault extends Fault {
  readonly segment?: number;
}

export class CheckpointVerifier {
  readonly #keys: JSONWebKeySet;
  readonly #segments = new Map<number, SegmentFacts | undefined>();
  readonly #signedBy = new Set<string>();
  #count = 0;
  #witnessedSeq: number | undefined;

  constructor(keys: JSONWebKeySet) {
    this.#keys = keys;
  }

  /** Checkpoints that verify. */
  get count(): number {
    return this.#count;
  }

  /** The highest `seq` that one of them covers. */
  get witnessedSeq(): number | undefined {
    return this.#witnessedSeq;
  }

  /** The ids of the keys that signed them. */
  get signedBy(): ReadonlySet<string> {
    return this.#signedBy;
  }

  /** Each segment before the records that follow it; without facts for one that was told to be damaged already. */
  addSegment(number: number, facts: SegmentFacts | undefined): void {
    this.#segments.set(number, facts);
  }

  async verify(record: RecordOf<"checkpoint">, place: CheckpointPlace): Promise<CheckpointFault[]> {
    const reading = await verifyCheckpoint(record.signature, this.#keys);
    if (!reading.ok) {
      const { code: read } = reading;
      const isKey = read === "key_unknown" || read === "key_distrusted";
      const code = isKey ? read : "checkpoint_signature";
      return [{ code, message: `the checkpoint of segment ${record.segment}: ${reading.message}` }];
    }
    const { claims } = reading;
    const mismatch =
      findContradiction(record, claims) ?? findForeign(claims, place) ?? findLater(claims, place);
    if (mismatch !== undefined) {
      return [{ code: "checkpoint_mismatch", message: mismatch }];
    }
    const difference = this.#findDifference(claims);
    if (difference !== undefined) {
      return [{ code: "segment_changed", message: difference, segment: claims.segment }];
    }
    this.#count += 1;
    this.#witnessedSeq = Math.max(this.#witnessedSeq ?? 0, claims.seq);
    this.#signedBy.add(reading.kid);
    return [];
  }

  #findDifference({ segment, sha256, seq, head }: CheckpointClaims): string | undefined {
    const facts = this.#segments.get(segment);
    if (facts === undefined) {
      return undefined;
    }
    const differences = [
      sha256 === facts.sha256 ? "" : "its bytes",
      seq === facts.lastSeq ? "" : `its last record (${facts.lastSeq} in place of ${seq})`,
      head === facts.head ? "" : "its chain head",
    ].filter((difference) => difference !== "");
    return differences.length === 0
      ? undefined
      : `it is not the segment that its checkpoint witnessed: it differs in ${differences.join(", ")}`;
  }
}

function findContradiction(record: RecordOf<"checkpoint">, claims: CheckpointClaims): string | undefined {
  const fits =
    record.segment === claims.segment && record.last_seq === claims.seq && record.head === claims.head;
  return fits ? undefined : "what it says is not what the broker signed";
}

function findForeign(claims: CheckpointClaims, { session }: CheckpointPlace): string | undefined {
  return session === undefined || claims.session === session
    ? undefined
    : `its checkpoint was signed for the session ${claims.session}`;
}

function findLater({ segment }: CheckpointClaims, place: CheckpointPlace): string | undefined {
  return segment < place.segment
    ? undefined
    : `its checkpoint is for segment ${segment}, which does not lie before it`;
}
