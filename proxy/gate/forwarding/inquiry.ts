/**
 * One question of the gate itself to a server. No agent hears of it; it ends with an answer or without one, in time.
 */
import type { JsonObject, RequestId } from "../../messages/envelope.ts";
import type { ServerAnswer, ServerMessage, ServerRequest } from "../../messages/server-message.ts";
import type { Carriage, Loss, Sending, Sink } from "../../upstream/upstream.ts";
import type { Kind } from "../named-things.ts";
import { findChangedKind } from "../passing.ts";

export interface Question {
  readonly method: string;
  readonly params: JsonObject | undefined;
}

export interface Bounds {
  readonly timeoutMs: number;
  /** Of everything that the server says to it. */
  readonly maxBytes: number;
}

export interface InquiryEvents {
  lost(loss: Loss): void;
  answeredStatus(status: number): void;
  messageDropped(): void;
  listChanged(kind: Kind): void;
}

export class Inquiry implements Sink {
  readonly #id: RequestId;
  readonly #maxBytes: number;
  readonly #events: InquiryEvents;
  readonly #answered = Promise.withResolvers<ServerAnswer | undefined>();
  #timer: NodeJS.Timeout | undefined;
  #sending: Sending | undefined;
  #bytes = 0;
  #isOver = false;

  constructor(id: RequestId, maxBytes: number, events: InquiryEvents) {
    this.#id = id;
    this.#maxBytes = maxBytes;
    this.#events = events;
  }

  /** Nothing where there was none in time, too much of it, or an end without one. */
  get answer(): Promise<ServerAnswer | undefined> {
    return this.#answered.promise;
  }

  start(send: (sink: Sink) => Sending, timeoutMs: number): void {
    this.#timer = setTimeout(() => this.giveUp(), timeoutMs);
    const sending = send(this);
    if (this.#isOver) {
      sending.leave();
    } else {
      this.#sending = sending;
    }
  }

  giveUp(): void {
    if (!this.#isOver) {
      this.#sending?.cancel();
      this.#end(undefined);
    }
  }

  opened(): void {}

  filler(): void {}

  message(message: Exclude<ServerMessage, ServerRequest>, carriage: Carriage): undefined {
    if (this.#isOver) {
      this.#events.messageDropped();
      return;
    }
    this.#bytes += message.text.length;
    if (this.#bytes > this.#maxBytes) {
      this.giveUp();
    } else if (message.kind === "notification") {
      const kind = findChangedKind(message.method);
      if (kind !== undefined) {
        this.#events.listChanged(kind);
      }
    } else if (message.id === this.#id || (message.id === null && carriage.status !== undefined)) {
      if (carriage.status !== undefined && carriage.status >= 400) {
        this.#events.answeredStatus(carriage.status);
      }
      this.#end(message);
    } else {
      this.#events.messageDropped();
    }
  }

  status(status: number): void {
    this.#events.answeredStatus(status);
    this.#end(undefined);
  }

  ended(): void {
    this.#end(undefined);
  }

  failed(loss: Loss): void {
    if (!this.#isOver) {
      this.#events.lost(loss);
    }
    this.#end(undefined);
  }

  #end(answer: ServerAnswer | undefined): void {
    if (!this.#isOver) {
      this.#isOver = true;
      clearTimeout(this.#timer);
      this.#sending?.leave();
      this.#answered.resolve(answer);
    }
  }
}
