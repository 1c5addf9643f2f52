/**
 * The end of what a process wrote to stderr, kept so that its death can be explained. Bounded, and as it was written:
 * whoever shows it redacts it first.
 */

/** More than the longest secret that is recognised as a whole. */
const MAX_BYTES = 16 * 1024;

export class LastWords {
  #chunks: Buffer[] = [];
  #length = 0;
  #isCut = false;

  write(chunk: Buffer): void {
    this.#chunks.push(chunk.subarray(-MAX_BYTES));
    this.#length += Math.min(chunk.length, MAX_BYTES);
    this.#isCut ||= chunk.length > MAX_BYTES;
    if (this.#length > 2 * MAX_BYTES) {
      this.#chunks = [Buffer.concat(this.#chunks).subarray(-MAX_BYTES)];
      this.#length = MAX_BYTES;
      this.#isCut = true;
    }
  }

  /** Whole lines: half of one could be half of a secret. */
  get text(): string {
    const text = Buffer.concat(this.#chunks).toString("utf8");
    return this.#isCut ? text.slice(text.indexOf("\n") + 1 || text.length) : text;
  }
}
