/**
 * What goes back to an agent for one message: one JSON document, or an event stream that ends with the answer.
 * Which of the two is open until the first thing is sent.
 */
import type { ServerResponse } from "node:http";
import type { Answer } from "../messages/refusals.ts";
import { COMMENT, type ServerEvent, writeEvent } from "../messages/sse.ts";

export interface Reply {
  /** The agent left, or the reply has ended. */
  readonly isOver: boolean;
  readonly isStreaming: boolean;
  /** A header field of the reply; without effect once something was sent. */
  setField(name: string, value: string): void;
  openStream(): void;
  /** A message before the last. When the reader is behind, resolves once it has caught up or left. */
  sendEvent(event: ServerEvent): Promise<void> | undefined;
  /** Only on a stream. */
  sendComment(): void;
  /** The last message, as bytes or one character per byte: a document with `status`, or the last event of a stream. */
  finish(status: number, message: string | Buffer, eventId?: string): void;
  /** Ends without a message: a bare status, or the end of a stream. */
  finishEmpty(status: number): void;
  /** Called once when the agent leaves before the end. */
  onGone(listener: () => void): void;
}

/** Sends what the proxy itself says. */
export function send(reply: Reply, { status, text, retryAfterSeconds }: Answer): void {
  if (retryAfterSeconds !== undefined) {
    reply.setField("retry-after", String(retryAfterSeconds));
  }
  reply.finish(status, text);
}

const STREAM_FIELDS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

export class HttpReply implements Reply {
  readonly #response: ServerResponse;
  /** Unread bytes beyond which messages before the last are dropped. */
  readonly #maxUnreadBytes: number;
  #reading: Promise<void> | undefined;
  #gone: (() => void)[] = [];
  #isGone = false;

  constructor(response: ServerResponse, maxUnreadBytes: number) {
    this.#response = response;
    this.#maxUnreadBytes = maxUnreadBytes;
    response.on("error", () => undefined);
    response.on("close", () => {
      this.#isGone = !response.writableEnded;
      if (this.#isGone) {
        this.#gone.forEach((listener) => listener());
      }
      this.#gone = [];
    });
  }

  get isOver(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  get isStreaming(): boolean {
    return this.#response.headersSent && !this.isOver;
  }

  setField(name: string, value: string): void {
    if (!this.#response.headersSent) {
      this.#response.setHeader(name, value);
    }
  }

  openStream(): void {
    if (!this.#response.headersSent && !this.isOver) {
      this.#response.writeHead(200, STREAM_FIELDS);
      this.#response.flushHeaders();
    }
  }

  sendEvent(event: ServerEvent): Promise<void> | undefined {
    if (this.isOver) {
      return undefined;
    }
    this.openStream();
    if (this.#response.writableLength > this.#maxUnreadBytes) {
      return this.#untilRead();
    }
    return this.#response.write(writeEvent(event), "latin1") ? undefined : this.#untilRead();
  }

  /** Whoever has something left to read needs no sign of life. */
  sendComment(): void {
    if (this.isStreaming && !this.#response.writableNeedDrain) {
      this.#response.write(COMMENT);
    }
  }

  finish(status: number, message: string | Buffer, eventId?: string): void {
    if (this.isOver) {
      return;
    }
    if (this.#response.headersSent) {
      this.#response.end(writeEvent({ data: message.toString("latin1"), id: eventId }), "latin1");
      return;
    }
    this.#response.writeHead(status, {
      "content-type": "application/json",
      "content-length": message.length,
    });
    this.#response.end(message, "latin1");
  }

  finishEmpty(status: number): void {
    if (this.isOver) {
      return;
    }
    if (!this.#response.headersSent) {
      this.#response.writeHead(status, { "content-length": 0 });
    }
    this.#response.end();
  }

  onGone(listener: () => void): void {
    if (this.#isGone) {
      queueMicrotask(listener);
    } else {
      this.#gone.push(listener);
    }
  }

  #untilRead(): Promise<void> {
    const response = this.#response;
    this.#reading ??= new Promise((resolve) => {
      const done = (): void => {
        response.off("drain", done);
        response.off("close", done);
        this.#reading = undefined;
        resolve();
      };
      response.on("drain", done);
      response.on("close", done);
    });
    return this.#reading;
  }
}

/** Replies to the members of a batch, on one stream that ends with the last of them. */
export function splitReply(whole: Reply, count: number): Reply[] {
  let open = count;
  const endOne = (): void => {
    open--;
    if (open === 0) {
      whole.finishEmpty(202);
    }
  };
  return Array.from({ length: count }, () => new MemberReply(whole, endOne));
}

class MemberReply implements Reply {
  readonly #whole: Reply;
  readonly #ended: () => void;
  #isEnded = false;

  constructor(whole: Reply, ended: () => void) {
    this.#whole = whole;
    this.#ended = ended;
  }

  get isOver(): boolean {
    return this.#isEnded || this.#whole.isOver;
  }

  get isStreaming(): boolean {
    return !this.#isEnded && this.#whole.isStreaming;
  }

  /** A batch holds no handshake, which is what has a field of its own. */
  setField(): void {}

  openStream(): void {
    this.#whole.openStream();
  }

  sendEvent(event: ServerEvent): Promise<void> | undefined {
    return this.isOver ? undefined : this.#whole.sendEvent(event);
  }

  sendComment(): void {
    this.#whole.sendComment();
  }

  finish(_status: number, message: string | Buffer, eventId?: string): void {
    if (!this.isOver) {
      void this.#whole.sendEvent({ data: message.toString("latin1"), id: eventId });
      this.finishEmpty();
    }
  }

  finishEmpty(): void {
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.#ended();
    }
  }

  onGone(listener: () => void): void {
    this.#whole.onGone(listener);
  }
}
