/**
 * What the records of one log must say together: a genesis first and once, every result after its call and once,
 * nothing after the seal, a seal that counts right. Told a gap, it no longer judges what the gap may explain.
 */
import type { Fault } from "./chain-verification.ts";
import type { AuditRecord, RecordOf, Totals } from "../record.ts";
import { Tally } from "./tally.ts";

export class RecordOrder {
  readonly #first: "genesis" | "relay_genesis";
  readonly #tally = new Tally();
  /** Calls by id, with whether their result is still to come. */
  readonly #awaited = new Map<string, boolean>();
  #gaps = false;
  #sealed = false;
  #toldAfterSeal = false;

  /** `first`: the kind of the record that such a log begins with. */
  constructor(first: "genesis" | "relay_genesis" = "genesis") {
    this.#first = first;
  }

  get sealed(): boolean {
    return this.#sealed;
  }

  /** Records are missing from here to the next one: a call, a seal or the genesis can be among them. */
  skip(): void {
    this.#gaps = true;
  }

  get hasGaps(): boolean {
    return this.#gaps;
  }

  totals(): Totals {
    return this.#tally.totals();
  }

  /** Every record in order. What is wrong with it, seen with those before it. */
  add(record: AuditRecord): Fault[] {
    const faults = this.#judge(record);
    this.#tally.add(record);
    if (this.#sealed && !this.#toldAfterSeal) {
      this.#toldAfterSeal = true;
      faults.push({
        code: "record_after_seal",
        message: `a ${record.kind} follows the seal, which ends a log`,
      });
    }
    this.#sealed ||= record.kind === "seal";
    return faults;
  }

  #judge(record: AuditRecord): Fault[] {
    if (record.seq === 0 && record.kind !== this.#first) {
      return [
        { code: "genesis_missing", message: `the log begins with a ${record.kind} in place of its genesis` },
      ];
    }
    switch (record.kind) {
      case "genesis":
      case "relay_genesis":
        return record.seq === 0
          ? []
          : [{ code: "genesis_repeated", message: "a genesis stands in the middle of the log" }];
      case "call":
        return this.#judgeCall(record);
      case "result":
        return this.#judgeResult(record);
      case "seal":
        return this.#judgeSeal(record);
      default:
        return [];
    }
  }

  #judgeCall({ id }: RecordOf<"call">): Fault[] {
    const repeated = this.#awaited.has(id);
    this.#awaited.set(id, true);
    return repeated ? [{ code: "call_repeated", message: `the call id ${id} was used before` }] : [];
  }

  #judgeResult({ call }: RecordOf<"result">): Fault[] {
    const awaited = this.#awaited.get(call);
    this.#awaited.set(call, false);
    if (awaited === false) {
      return [{ code: "result_without_call", message: `the call ${call} already had its result` }];
    }
    return awaited || this.#gaps
      ? []
      : [{ code: "result_without_call", message: `no call ${call} stands before it` }];
  }

  #judgeSeal({ totals }: RecordOf<"seal">): Fault[] {
    if (this.#gaps) {
      return [];
    }
    const counted = this.#tally.totals();
    return (["calls", "allowed", "denied", "failed"] as const)
      .filter((name) => totals[name] !== counted[name])
      .map((name) => ({
        code: "totals_mismatch",
        message: `the seal counts ${totals[name]} ${name}, the log holds ${counted[name]}`,
      }));
  }
}
