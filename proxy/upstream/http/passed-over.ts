/** A body that nobody reads: read to its end, so that the connection can be used again, unless it has none that is near. */

const MAX_BYTES = 64 * 1024;
const MAX_MS = 1_000;

export class PassedOver {
  readonly #leave: () => void;
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  /** `leave` ends the connection. */
  constructor(leave: () => void, maxMs = MAX_MS) {
    this.#leave = leave;
    this.#timer = setTimeout(leave, maxMs).unref();
  }

  data(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_BYTES) {
      this.stop();
      this.#leave();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
