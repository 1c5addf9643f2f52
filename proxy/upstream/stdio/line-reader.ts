/**
 * Lines out of a stream of bytes, each of bounded length: a line that is longer is passed over without being held.
 */

const LINE_FEED = 0x0a;

export interface LineSink {
  /** Without its end; one character per byte. */
  line(text: string): void;
  /** A line was too long and is gone. */
  tooLong(): void;
}

export class LineReader {
  readonly #maxBytes: number;
  readonly #sink: LineSink;
  #parts: Buffer[] = [];
  #held = 0;
  #isSkipping = false;

  constructor(maxBytes: number, sink: LineSink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  read(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#hold(chunk.subarray(start, end));
      start = end + 1;
      this.#endLine();
    }
    if (start < chunk.length) {
      this.#hold(chunk.subarray(start));
    }
  }

  #hold(part: Buffer): void {
    if (this.#isSkipping) {
      return;
    }
    this.#held += part.length;
    if (this.#held > this.#maxBytes) {
      this.#isSkipping = true;
      this.#parts = [];
      this.#sink.tooLong();
      return;
    }
    this.#parts.push(part);
  }

  #endLine(): void {
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    const isWhole = !this.#isSkipping;
    this.#parts = [];
    this.#held = 0;
    this.#isSkipping = false;
    if (isWhole && bytes.length > 0) {
      this.#sink.line(bytes.toString("latin1"));
    }
  }
}
