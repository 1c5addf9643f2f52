/**
 * The relay's stream as verification sees it pass: what the broker itself wrote of the calls that it relayed, judged as
 * the runner's log is, and kept for the comparison with that one.
 */
import type { JSONWebKeySet } from "jose";
import { CallIndex } from "./call-comparison.ts";
import { CheckpointVerifier, type SegmentFacts } from "./checkpoint-verification.ts";
import type { Inventory } from "./inventory.ts";
import { compareGenesis } from "./manifest-verification.ts";
import { segmentObject } from "../object-path.ts";
import { PresentedCredentials } from "./presented-credentials.ts";
import type { ProblemList } from "./problem-list.ts";
import { RecordOrder } from "./record-order.ts";
import type { AuditRecord, RecordOf } from "../record.ts";
import type { StreamVisitor } from "./stream-verification.ts";

export interface RelayLogOptions {
  readonly keys: JSONWebKeySet;
  readonly inventory: Inventory;
  /** As the runner's genesis has it. */
  readonly genesis: RecordOf<"genesis"> | undefined;
  readonly problems: ProblemList;
  /** Of how many calls it keeps what they were sent with. */
  readonly maxRecords: number;
}

export class RelayLog implements StreamVisitor {
  readonly order = new RecordOrder("relay_genesis");
  readonly calls = new CallIndex();
  readonly credentials = new PresentedCredentials("relay");
  /** By the id of the call. */
  readonly sentWith = new Map<string, NonNullable<RecordOf<"call">["credential"]>>();
  readonly #options: RelayLogOptions;
  readonly #checkpoints: CheckpointVerifier;
  #genesis: RecordOf<"relay_genesis"> | undefined;
  #count = 0;

  constructor(options: RelayLogOptions) {
    this.#options = options;
    this.#checkpoints = new CheckpointVerifier(options.keys);
  }

  get count(): number {
    return this.#count;
  }

  get genesis(): RecordOf<"relay_genesis"> | undefined {
    return this.#genesis;
  }

  async visitRecord(record: AuditRecord, segment: number): Promise<void> {
    const { problems, inventory, genesis, maxRecords } = this.#options;
    const part = `${segmentObject("relay", segment)} record ${record.seq}`;
    for (const fault of this.order.add(record)) {
      problems.addBreak(part, fault);
    }
    this.#count += 1;
    this.calls.add(record, part);
    this.credentials.add(record, part);
    if (record.kind === "call" && record.decision === "allow" && this.sentWith.size < maxRecords) {
      if (record.credential !== undefined) this.sentWith.set(record.id, record.credential);
    }
    if (record.kind === "relay_genesis" && record.seq === 0) {
      this.#genesis = record;
      const manifest = inventory.believed ?? inventory.relay?.manifest;
      const members =
        manifest === undefined ? compareWith(genesis, record) : compareGenesis(manifest, record);
      if (members.length > 0) {
        const message = `its ${members.join(", ")} is of another session`;
        problems.addBreak(part, { code: "genesis_mismatch", message });
      }
    }
    if (record.kind === "checkpoint") {
      const session = this.#genesis?.session;
      for (const fault of await this.#checkpoints.verify(record, { segment, session })) {
        const place = fault.segment ? segmentObject("relay", fault.segment) : part;
        problems.addBreak(place, { code: fault.code, message: fault.message });
      }
    }
  }

  visitSegment(number: number, facts: SegmentFacts | undefined): void {
    this.#checkpoints.addSegment(number, facts);
  }

  visitGap(): void {
    this.order.skip();
  }

  findForeign(): undefined {}
}

function compareWith(own: RecordOf<"genesis"> | undefined, relay: RecordOf<"relay_genesis">): string[] {
  return own === undefined || own.session === relay.session ? [] : ["session"];
}
