/**
 * The recovered stream as verification sees it pass: records that somebody handed in after the proxy was gone.
 * Whatever is wrong with them is told and changes nothing else, since nobody witnessed them in the first place.
 */
import type { CallIndex } from "./call-comparison.ts";
import type { ChainState } from "../chain.ts";
import type { Manifest, SegmentEntry } from "../manifest.ts";
import { compareGenesis } from "./manifest-verification.ts";
import { parseSegmentObject, segmentObject } from "../object-path.ts";
import { PresentedCredentials } from "./presented-credentials.ts";
import type { ProblemList } from "./problem-list.ts";
import type { RecordOrder } from "./record-order.ts";
import { type AuditRecord, GENESIS_PREV } from "../record.ts";
import type { StreamVisitor } from "./stream-verification.ts";

export interface RecoveredTailOptions {
  /** Where the stored log stands that the tail should continue. */
  readonly from: ChainState;
  /** Segments that were stored beyond that, after one that was not. */
  readonly beyond: readonly SegmentEntry[];
  /** The order of the log so far. */
  readonly order: RecordOrder;
  /** Its calls so far. */
  readonly calls: CallIndex;
  readonly manifest: Manifest | undefined;
  readonly problems: ProblemList;
  readonly maxRecords: number;
}

export class RecoveredTail implements StreamVisitor {
  readonly records: AuditRecord[] = [];
  readonly credentials = new PresentedCredentials("recovered");
  readonly #options: RecoveredTailOptions;
  #count = 0;
  #first: string | undefined;
  #continues = false;

  constructor(options: RecoveredTailOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  async visitRecord(record: AuditRecord, segment: number): Promise<void> {
    const { from, beyond, order, calls, manifest, problems, maxRecords } = this.#options;
    const part = `${segmentObject("recovered", segment)} record ${record.seq}`;
    this.#first ??= part;
    // A tail may begin with records that were stored: the last of them must then be the same.
    this.#continues ||= record.seq === from.nextSeq - 1 && record.hash === from.head;
    this.#continues ||= record.seq === from.nextSeq && record.prev === from.head;
    const known = beyond.some(({ first_seq, last_seq }) => first_seq <= record.seq && record.seq <= last_seq);
    if (record.seq < from.nextSeq || known) {
      return;
    }
    if (this.#continues) {
      for (const fault of order.add(record)) {
        problems.addNote(part, fault);
      }
      calls.add(record, part);
    }
    if (record.kind === "genesis" && manifest !== undefined) {
      for (const member of compareGenesis(manifest, record)) {
        const message = `its ${member} is not the one that the manifest names`;
        problems.addNote(part, { code: "genesis_mismatch", message });
      }
    }
    this.credentials.add(record, part);
    this.#count += 1;
    if (this.records.length < maxRecords) {
      this.records.push(record);
    }
  }

  visitSegment(): void {}

  findForeign(): undefined {}

  visitGap(): void {
    this.#options.order.skip();
  }

  /** Once all was seen. */
  tellDiscontinuity(): void {
    if (this.#first !== undefined && !this.#continues) {
      const message = `it does not continue the stored log, which record ${this.#options.from.nextSeq} would`;
      this.#options.problems.addNote(this.#first, { code: "tail_discontinuous", message });
    }
  }
}

/** Where a log stands by its manifest: after the segments that were stored without a gap; and those beyond one. */
export function findStoredEnd(runner: readonly SegmentEntry[]): { from: ChainState; beyond: SegmentEntry[] } {
  const gap = runner.findIndex(({ object }, index) => parseSegmentObject("runner", object) !== index + 1);
  const adjoining = gap === -1 ? runner : runner.slice(0, gap);
  const last = adjoining.at(-1);
  return {
    from: { nextSeq: (last?.last_seq ?? -1) + 1, head: last?.head ?? GENESIS_PREV },
    beyond: runner.slice(adjoining.length),
  };
}
