/**
 * Verification of one stream of a session, segment by segment: that each is there, is what the manifest names, and
 * continues the chain. What is damaged is told once, at its first wrong record where that can be known, and
 * verification goes on with the next segment. Holds one segment in memory at a time.
 */
import { hash } from "node:crypto";
import type { ChainState } from "../chain.ts";
import type { Fault } from "./chain-verification.ts";
import type { SegmentFacts } from "./checkpoint-verification.ts";
import type { SegmentEntry, StreamName } from "../manifest.ts";
import { compareEntry } from "./manifest-verification.ts";
import { parseSegmentObject, segmentObject } from "../object-path.ts";
import type { ProblemList } from "./problem-list.ts";
import type { AuditRecord, Digest } from "../record.ts";
import { MAX_PACKED_BYTES } from "../segment.ts";
import { describeDamage } from "./segment-damage.ts";
import { readSegment, type SegmentReading } from "./segment-reading.ts";

/** The objects of one session, by their names relative to its prefix. What cannot be read throws. */
export interface SessionSource {
  list(): Promise<string[]>;
  /** May stop after `maxBytes` + 1 bytes: what is longer is refused. */
  read(object: string, maxBytes: number): Promise<Uint8Array>;
}

/** What a manifest says about a stream. */
export interface StreamListing {
  readonly manifestObject: string;
  readonly entries: readonly SegmentEntry[];
  /** Whether the manifest's signature verifies: then a difference is the segment's, otherwise the manifest's. */
  readonly trusted: boolean;
  /** A sealed stream is all there is; into another one a segment can still come, and a segment can be lacking. */
  readonly sealed: boolean;
}

export interface StreamTerms {
  readonly stream: StreamName;
  readonly source: SessionSource;
  /** All that the source lists. */
  readonly objects: readonly string[];
  /** Undefined: there is no manifest that can be read. */
  readonly listing: StreamListing | undefined;
  /** Undefined: the first record is taken as the one that belongs there. */
  readonly start: ChainState | undefined;
  readonly problems: ProblemList;
  /** Whether records that do not fit make the log a broken one; of a tail that nobody witnessed they do not. */
  readonly contentBreaks: boolean;
}

/** Is told what the stream holds, in order. */
export interface StreamVisitor {
  visitRecord(record: AuditRecord, segment: number): Promise<void>;
  /** After the segment's own records. Without facts where they are not known for sure. */
  visitSegment(number: number, facts: SegmentFacts | undefined): void;
  /** Records are missing here. */
  visitGap(): void;
  /** Of records that stand where others belong: the one that says that they are of another log. */
  findForeign(records: readonly AuditRecord[]): (Fault & { readonly seq: number }) | undefined;
}

interface ListedEntry {
  readonly entry: SegmentEntry;
  /** Its place in the manifest, which names it in problems. */
  readonly index: number;
}

/** A segment as it lies in the bucket, and what could be read in it. */
interface StoredSegment {
  readonly number: number;
  readonly object: string;
  readonly bytes: number;
  readonly sha256: Digest;
  readonly reading: SegmentReading;
}

export class StreamVerifier {
  readonly #terms: StreamTerms;
  readonly #visitor: StreamVisitor;
  /** Where the chain stands; undefined after damage, until the next segment tells. */
  #state: ChainState | undefined;

  constructor(terms: StreamTerms, visitor: StreamVisitor) {
    this.#terms = terms;
    this.#visitor = visitor;
    this.#state = terms.start;
  }

  async verify(): Promise<void> {
    const { stream, objects } = this.#terms;
    const stored = new Set(objects.flatMap((object) => parseSegmentObject(stream, object) ?? []));
    const listed = new Map(this.#listEntries());
    let before = 0;
    for (const number of [...new Set([...stored, ...listed.keys()])].sort((left, right) => left - right)) {
      const listedAs = listed.get(number);
      if (number > before + 1) {
        this.#tellAbsent(before + 1, number - 1);
      }
      if (!stored.has(number)) {
        this.#tellMissing(number, listedAs?.entry);
      } else if (this.#terms.listing?.trusted && listedAs === undefined) {
        this.#tellUnlisted(number);
      } else {
        await this.#verifySegment(number, listedAs);
      }
      before = number;
    }
  }

  /** The entries by the number of their segment; an entry for something else has been told by whoever read the manifest. */
  #listEntries(): [number, ListedEntry][] {
    const { stream, listing } = this.#terms;
    return (listing?.entries ?? []).flatMap((entry, index) => {
      const number = parseSegmentObject(stream, entry.object);
      return number === undefined ? [] : [[number, { entry, index }]];
    });
  }

  async #verifySegment(number: number, listedAs: ListedEntry | undefined): Promise<void> {
    const { stream, source, listing, problems } = this.#terms;
    const object = segmentObject(stream, number);
    const body = await source.read(object, MAX_PACKED_BYTES);
    if (body.length > MAX_PACKED_BYTES) {
      const message = `it is larger than ${MAX_PACKED_BYTES} bytes`;
      problems.addBreak(object, { code: "segment_too_large", message });
      this.#leaveGap();
      return;
    }
    const trusted = listing?.trusted ? listedAs?.entry : undefined;
    const reading = await readSegment(body, this.#state ?? (trusted && stateBefore(trusted)));
    const stored = { number, object, bytes: body.length, sha256: hash("sha256", body, "hex"), reading };
    if (trusted !== undefined && (trusted.sha256 !== stored.sha256 || trusted.bytes !== stored.bytes)) {
      await this.#takeDamaged(stored, trusted);
    } else {
      await this.#takeIntact(stored, listedAs);
    }
  }

  /** The bytes are not those that a manifest with a good signature names. */
  async #takeDamaged(
    { number, object, reading, ...stored }: StoredSegment,
    entry: SegmentEntry,
  ): Promise<void> {
    const { listing, problems } = this.#terms;
    const entries = listing?.entries ?? [];
    const damage = describeDamage({ stored: { object, ...stored }, entry, entries, reading });
    const foreign = damage.recordsHold ? undefined : this.#visitor.findForeign(reading.records);
    problems.addBreak(foreign ? `${object} record ${foreign.seq}` : damage.part, foreign ?? damage);
    await this.#visitRecords(damage.recordsHold ? reading.records : [], number);
    this.#visitor.visitSegment(number, factsOf(entry));
    this.#leaveGap();
  }

  /** The bytes are those that the manifest names, or there is none to say what they should be. */
  async #takeIntact(segment: StoredSegment, listedAs: ListedEntry | undefined): Promise<void> {
    const { stream, listing } = this.#terms;
    const { number, object, reading } = segment;
    await this.#visitRecords(reading.records, number);
    if (reading.fault !== undefined) {
      this.#tellContent(`${object}${nameRecord(reading)}`, reading.fault);
      this.#visitor.visitSegment(number, listing?.trusted && listedAs ? factsOf(listedAs.entry) : undefined);
      this.#leaveGap();
      return;
    }
    const measured = measure(segment);
    if (listing !== undefined) {
      const contradictions = listedAs
        ? compareEntry(listedAs.entry, measured, { stream, index: listedAs.index })
        : [{ member: stream, message: `it does not list ${object}` }];
      for (const { member, message } of contradictions) {
        this.#tellContent(`${listing.manifestObject} ${member}`, { code: "manifest_contradicts", message });
      }
    }
    this.#visitor.visitSegment(number, factsOf(measured));
    this.#state = reading.end;
  }

  async #visitRecords(records: readonly AuditRecord[], number: number): Promise<void> {
    for (const record of records) {
      await this.#visitor.visitRecord(record, number);
    }
  }

  #tellContent(part: string, fault: Fault): void {
    const { problems, contentBreaks } = this.#terms;
    problems.add({ part, code: fault.code, message: fault.message, breaks: contentBreaks });
  }

  #tellMissing(number: number, entry: SegmentEntry | undefined): void {
    const records = entry ? `; it held the records ${entry.first_seq} to ${entry.last_seq}` : "";
    const fault = { code: "segment_missing", message: `it is not there${records}` } as const;
    const { stream, listing, problems } = this.#terms;
    problems.addBreak(segmentObject(stream, number), fault);
    this.#visitor.visitSegment(number, listing?.trusted && entry ? factsOf(entry) : undefined);
    this.#leaveGap();
  }

  /** Neither stored nor listed, though later ones are. */
  #tellAbsent(first: number, last: number): void {
    const { stream, listing, problems } = this.#terms;
    const range = first === last ? "" : ` to ${segmentObject(stream, last)}`;
    const toldByBroker = listing?.trusted === true && !listing.sealed;
    const message = toldByBroker ? "the broker never saw it stored" : "it is not there";
    const part = `${segmentObject(stream, first)}${range}`;
    problems.add({ part, code: "segment_missing", message, breaks: !toldByBroker });
    this.#leaveGap();
  }

  #tellUnlisted(number: number): void {
    const { stream, listing, problems } = this.#terms;
    const message = `${listing?.manifestObject} does not list it; it is left unread`;
    const part = segmentObject(stream, number);
    problems.add({ part, code: "segment_unlisted", message, breaks: listing?.sealed !== false });
  }

  #leaveGap(): void {
    this.#state = undefined;
    this.#visitor.visitGap();
  }
}

/** Where the chain stood before the segment of an entry. */
function stateBefore(entry: SegmentEntry): ChainState {
  return { nextSeq: entry.first_seq, head: entry.prev };
}

function factsOf({ sha256, last_seq, head }: Omit<SegmentEntry, "object">): SegmentFacts {
  return { sha256, lastSeq: last_seq, head };
}

/** The record at which the reading stopped, where that is known. */
function nameRecord({ end, fault }: SegmentReading): string {
  const known = end !== undefined && fault?.code.startsWith("segment_") === false;
  return known ? ` record ${end.nextSeq}` : "";
}

/** A segment that was read without a fault, in the words of its entry. */
function measure({ bytes, sha256, reading }: StoredSegment): Omit<SegmentEntry, "object"> {
  const first = reading.records[0];
  const last = reading.records.at(-1);
  if (first === undefined || last === undefined) {
    throw new Error("a segment without records was read without a fault");
  }
  return { bytes, sha256, first_seq: first.seq, last_seq: last.seq, prev: first.prev, head: last.hash };
}
