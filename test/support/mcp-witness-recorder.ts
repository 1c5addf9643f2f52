/**
 * A recorder that keeps its records in memory, chained as the real ones are, and fails when it is told to.
 */
import { Chain } from "../../audit/chain.ts";
import type { AuditRecord, Entry, RecordOf } from "../../audit/record.ts";
import { type Recorder, RecordingFailed } from "../../proxy/recorder.ts";

export class WitnessRecorder implements Recorder {
  readonly records: AuditRecord[] = [];
  /** Entries that cannot be written from now on. */
  fails: (entry: Entry) => boolean = () => false;
  readonly #chain = new Chain();
  readonly #waiting = new Set<() => void>();

  record(entry: Entry): AuditRecord {
    if (this.fails(entry)) {
      throw new RecordingFailed("no space left on device");
    }
    const { record } = this.#chain.append(entry, new Date());
    this.records.push(record);
    [...this.#waiting].forEach((check) => check());
    return record;
  }

  of<K extends AuditRecord["kind"]>(kind: K): RecordOf<K>[] {
    return this.records.filter((record): record is RecordOf<K> => record.kind === kind);
  }

  events(name: string): RecordOf<"event">[] {
    return this.of("event").filter(({ event }) => event === name);
  }

  /** Resolves with what `find` finds, now or in a later record. */
  async waitFor<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) {
        return found;
      }
      await new Promise<void>((resolve) => {
        const check = (): void => {
          this.#waiting.delete(check);
          resolve();
        };
        this.#waiting.add(check);
      });
    }
  }
}
