/**
 * One kept HTTP/1.1 connection, written and read by hand: it shares its core with the upstream server,
 * so it must cost less than what it measures. It reads bodies with a length and chunked ones, one answer at a time.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

export interface RawAnswer {
  readonly status: number;
  /** The status line and the headers, as they came. */
  readonly head: string;
  /** Valid until the next exchange. */
  readonly body: Buffer;
}

export class RawConnection {
  readonly #socket: Socket;
  #received = Buffer.allocUnsafe(128 * 1024);
  #length = 0;
  #waiting: PromiseWithResolvers<RawAnswer> | undefined;

  static async open(url: URL): Promise<RawConnection> {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("close", () => this.#fail("the connection was closed"));
  }

  /** Sends a whole request and resolves with the whole answer. */
  exchange(request: string): Promise<RawAnswer> {
    this.#waiting = Promise.withResolvers();
    this.#length = 0;
    this.#socket.write(request);
    return this.#waiting.promise;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#length + chunk.length > this.#received.length) {
      const larger = Buffer.allocUnsafe(2 * (this.#length + chunk.length));
      this.#received.copy(larger, 0, 0, this.#length);
      this.#received = larger;
    }
    chunk.copy(this.#received, this.#length);
    this.#length += chunk.length;
    const answer = readAnswer(this.#received.subarray(0, this.#length));
    if (answer === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }

  #fail(message: string): void {
    this.#waiting?.reject(new Error(message));
    this.#waiting = undefined;
  }
}

/** Undefined while bytes are missing. */
export function readAnswer(received: Buffer): RawAnswer | undefined {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = received.toString("latin1", 0, headEnd);
  const status = Number(head.slice(9, 12));
  const rest = received.subarray(headEnd + HEAD_END.length);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    return rest.length < Number(length)
      ? undefined
      : { status, head, body: rest.subarray(0, Number(length)) };
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return { status, head, body: rest };
  const body = readChunks(rest);
  return body === undefined ? undefined : { status, head, body };
}

/** RFC 9112, section 7.1, without trailers. */
function readChunks(received: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = received.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(received.toString("latin1", at, lineEnd), 16);
    const start = lineEnd + 2;
    if (received.length < start + size + 2) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(received.subarray(start, start + size));
    at = start + size + 2;
  }
}
