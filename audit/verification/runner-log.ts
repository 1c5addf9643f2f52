/**
 * The runner's stream as verification sees it pass: its records judged together, its genesis compared with the
 * manifest, its checkpoints verified. Keeps as many records as it is told to, and counts them all.
 */
import type { JSONWebKeySet } from "jose";
import { CallIndex } from "./call-comparison.ts";
import type { Fault } from "./chain-verification.ts";
import { CheckpointVerifier, type SegmentFacts } from "./checkpoint-verification.ts";
import type { Inventory } from "./inventory.ts";
import { compareGenesis } from "./manifest-verification.ts";
import { MANIFEST_OBJECT, segmentObject } from "../object-path.ts";
import { PresentedCredentials } from "./presented-credentials.ts";
import type { ProblemList } from "./problem-list.ts";
import { RecordOrder } from "./record-order.ts";
import type { AuditRecord, RecordOf } from "../record.ts";
import type { StreamVisitor } from "./stream-verification.ts";

export interface RunnerLogOptions {
  readonly keys: JSONWebKeySet;
  readonly inventory: Inventory;
  readonly problems: ProblemList;
  readonly maxRecords: number;
}

export class RunnerLog implements StreamVisitor {
  readonly order = new RecordOrder();
  readonly checkpoints: CheckpointVerifier;
  readonly records: AuditRecord[] = [];
  readonly calls = new CallIndex();
  readonly credentials = new PresentedCredentials("runner");
  readonly #options: RunnerLogOptions;
  #count = 0;
  #last: { record: AuditRecord; segment: number } | undefined;
  #genesis: RecordOf<"genesis"> | undefined;

  constructor(options: RunnerLogOptions) {
    this.#options = options;
    this.checkpoints = new CheckpointVerifier(options.keys);
  }

  get count(): number {
    return this.#count;
  }

  get last(): AuditRecord | undefined {
    return this.#last?.record;
  }

  get genesis(): RecordOf<"genesis"> | undefined {
    return this.#genesis;
  }

  async visitRecord(record: AuditRecord, segment: number): Promise<void> {
    const { problems, inventory, maxRecords } = this.#options;
    const { believed } = inventory;
    const part = `${segmentObject("runner", segment)} record ${record.seq}`;
    for (const fault of this.order.add(record)) {
      problems.addBreak(part, fault);
    }
    if (record.kind === "genesis" && record.seq === 0) {
      this.#genesis = record;
      this.#compareGenesis(record, part);
    }
    if (record.kind === "checkpoint") {
      const session = believed?.session ?? this.#genesis?.session;
      for (const fault of await this.checkpoints.verify(record, { segment, session })) {
        const place = fault.segment ? segmentObject("runner", fault.segment) : part;
        // A manifest to be believed names every segment by its digest: then the checkpoint is not needed.
        const isVouched = fault.code === "key_distrusted" && believed !== undefined;
        problems.add({ part: place, code: fault.code, message: fault.message, breaks: !isVouched });
      }
    }
    this.#count += 1;
    this.calls.add(record, part);
    this.credentials.add(record, part);
    this.#last = { record, segment };
    if (this.records.length < maxRecords) {
      this.records.push(record);
    }
  }

  visitSegment(number: number, facts: SegmentFacts | undefined): void {
    this.checkpoints.addSegment(number, facts);
  }

  visitGap(): void {
    this.order.skip();
  }

  findForeign(records: readonly AuditRecord[]): (Fault & { seq: number }) | undefined {
    const { believed, stored } = this.#options.inventory;
    const genesis = records.find((record) => record.kind === "genesis");
    const members = believed && genesis ? compareGenesis(believed, genesis) : [];
    return genesis && members.length > 0
      ? { seq: genesis.seq, code: "genesis_mismatch", message: describeMismatch(members, stored?.object) }
      : undefined;
  }

  /** Once all was seen, of a log whose manifest says that it is sealed. */
  requireSeal(): void {
    if (!this.order.sealed && !this.order.hasGaps && this.#last !== undefined) {
      const { record, segment } = this.#last;
      this.#options.problems.addBreak(`${segmentObject("runner", segment)} record ${record.seq}`, {
        code: "seal_missing",
        message: `a sealed log ends with a seal, this one with a ${record.kind}`,
      });
    }
  }

  /** With a manifest to be believed it is the genesis that is wrong, otherwise the manifest. */
  #compareGenesis(genesis: RecordOf<"genesis">, part: string): void {
    const { inventory, problems } = this.#options;
    const { stored, believed } = inventory;
    if (stored?.manifest === undefined) {
      return;
    }
    const members = compareGenesis(stored.manifest, genesis);
    if (believed !== undefined && members.length > 0) {
      problems.addBreak(part, {
        code: "genesis_mismatch",
        message: describeMismatch(members, stored.object),
      });
      return;
    }
    for (const member of members) {
      const message = "it is not what the genesis says";
      problems.addBreak(`${stored.object} ${member}`, { code: "manifest_contradicts", message });
    }
  }
}

function describeMismatch(members: readonly string[], manifestObject = MANIFEST_OBJECT): string {
  const differ = members.length === 1 ? "is not the one" : "are not those";
  return `its ${members.join(", ")} ${differ} that ${manifestObject} names: it is the genesis of another log`;
}
