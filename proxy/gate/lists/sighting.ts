/**
 * What one session has seen of a server's locked tools since the server last said that they changed: a call goes on
 * only on a definition that was compared with the lock after that.
 */

export class Sighting {
  #digests = new Map<string, string>();
  #generation = 0;
  /** The gate's own look at the whole list: one at a time. */
  lookup: Promise<void> | undefined;
  /** The list was seen: what is not known now is not there. */
  isWhole = false;

  /** Changes whenever what was seen before says nothing any more: a list that was asked for earlier does not count. */
  get generation(): number {
    return this.#generation;
  }

  /** All that there are. Where a name stands twice, the last counts. */
  learn(generation: number, tools: readonly { readonly name: string; readonly digest: string }[]): void {
    if (generation === this.#generation) {
      this.#digests = new Map(tools.map(({ name, digest }) => [name, digest]));
      this.isWhole = true;
    }
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
