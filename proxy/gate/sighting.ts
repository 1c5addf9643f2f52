/**
 * What one session has seen of a server's locked tools since the server last said that they changed: a call goes on
 * only on a definition that was compared with the lock after that.
 */

export class Sighting {
  #digests = new Map<string, string>();
  #generation = 0;
  /** The gate's own look at the whole list: one at a time. */
  lookup: Promise<void> | undefined;
  /** Every page was seen: what is not known now is not there. */
  isWhole = false;

  /** Changes whenever what was seen before says nothing any more: a list that was asked for earlier does not count. */
  get generation(): number {
    return this.#generation;
  }

  learn(generation: number, tools: Iterable<{ readonly name: string; readonly digest: string }>): void {
    if (generation === this.#generation) {
      for (const { name, digest } of tools) {
        this.#digests.set(name, digest);
      }
    }
  }

  /** Whether everything was seen since then. */
  conclude(generation: number): void {
    this.isWhole = generation === this.#generation;
  }

  digestOf(tool: string): string | undefined {
    return this.#digests.get(tool);
  }

  /** The server said that its tools changed. */
  forget(): void {
    this.#generation++;
    this.#digests = new Map();
    this.isWhole = false;
  }
}
