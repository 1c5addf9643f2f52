/**
 * Reads what a server answers over HTTP, a document or an event stream, and hands it over message by message.
 * It reads no faster than the agent does, and never more than one message is held.
 */
import type { Limits } from "../../limits.ts";
import { readServerMessages, type ServerMessage, type ServerRequest } from "../../messages/server-message.ts";
import { EventReader, StreamFault } from "../../messages/sse.ts";
import type { AnswerHead, HttpExchange, Listener } from "./http-client.ts";
import { PassedOver } from "./passed-over.ts";
import type { Carriage, Loss, Sink } from "../upstream.ts";

export interface AnswerReading {
  readonly exchange: HttpExchange;
  readonly sink: Sink;
  readonly limits: Limits;
  /** Before anything of the answer goes to the sink. */
  opened(head: AnswerHead): void;
  /** The answer to a request for which there is nobody. */
  refuse(request: ServerRequest): string;
  /** Takes an answer back to the server. */
  answer(text: string): void;
}

export class HttpAnswer implements Listener {
  readonly #reading: AnswerReading;
  #head: AnswerHead | undefined;
  /** Of a document. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  #events: EventReader | undefined;
  #passedOver: PassedOver | undefined;
  /** The sink hears nothing more. */
  #isOver = false;

  constructor(reading: AnswerReading) {
    this.#reading = reading;
  }

  /** Nobody waits any more. */
  leave(): void {
    this.#isOver = true;
    this.#passedOver?.stop();
    this.#reading.exchange.leave();
  }

  head(head: AnswerHead): void {
    const { sink, limits } = this.#reading;
    this.#head = head;
    this.#reading.opened(head);
    const loss = findLoss(head);
    const type = readType(head);
    if (loss !== undefined) {
      this.#passOver(() => sink.failed(loss));
    } else if (type === "text/event-stream" && head.status === 200) {
      this.#events = new EventReader(limits.maxAnswerBytes);
      sink.opened();
    } else if (type !== "application/json") {
      this.#passOver(() => sink.status(head.status));
    }
  }

  data(bytes: Buffer): void {
    if (this.#passedOver !== undefined) {
      this.#passedOver.data(bytes);
    } else if (this.#events === undefined) {
      this.#hold(bytes);
    } else if (!this.#isOver) {
      this.#readOn(this.#events, bytes);
    }
  }

  end(): void {
    const { sink } = this.#reading;
    this.#passedOver?.stop();
    if (!this.#isOver) {
      this.#conclude(() => (this.#events === undefined ? this.#endDocument() : sink.ended()));
    }
  }

  failed(code: string): void {
    const { sink } = this.#reading;
    this.#passedOver?.stop();
    if (!this.#isOver) {
      const loss: Loss =
        this.#head === undefined
          ? { code: "unreachable", detail: code }
          : { code: "closed", detail: "mid-answer" };
      this.#conclude(() => sink.failed(loss));
    }
  }

  #hold(bytes: Buffer): void {
    const { exchange, limits, sink } = this.#reading;
    this.#bytes += bytes.length;
    this.#chunks.push(bytes);
    if (this.#bytes > limits.maxAnswerBytes) {
      exchange.leave();
      const detail = `more than ${limits.maxAnswerBytes} bytes`;
      this.#conclude(() => sink.failed({ code: "too_large", detail }));
    }
  }

  #endDocument(): void {
    const { sink } = this.#reading;
    const status = this.#head?.status ?? 0;
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    const messages = readServerMessages(whole.toString("latin1"), whole);
    if (messages !== undefined) {
      messages.forEach((message) => void deliver(message, this.#reading, { status }));
      sink.ended();
    } else if (status === 200) {
      sink.failed({ code: "unreadable", detail: "not a message" });
    } else {
      sink.status(status);
    }
  }

  #readOn(events: EventReader, bytes: Buffer): void {
    const { exchange, sink } = this.#reading;
    try {
      const waits = readEvents(events, bytes, this.#reading);
      if (waits.length > 0) {
        exchange.pause();
        void Promise.all(waits).then(() => exchange.resume());
      }
    } catch (error) {
      if (!(error instanceof StreamFault)) {
        throw error;
      }
      const code = error.code === "event_too_large" ? "too_large" : "unreadable";
      exchange.leave();
      this.#conclude(() => sink.failed({ code, detail: error.code }));
    }
  }

  #passOver(tell: () => void): void {
    this.#passedOver = new PassedOver(() => this.#reading.exchange.leave());
    this.#conclude(tell);
  }

  #conclude(tell: () => void): void {
    this.#isOver = true;
    tell();
  }
}

function findLoss({ status, fields }: AnswerHead): Loss | undefined {
  if (status === 401 || status === 403 || status === 407) {
    return { code: "credentials_refused", detail: `HTTP ${status}` };
  }
  if (status >= 300 && status < 400) {
    return { code: "redirected", detail: `HTTP ${status}` };
  }
  const encoding = fields["content-encoding"] ?? "identity";
  return encoding === "identity" ? undefined : { code: "unreadable", detail: "content-encoding" };
}

function readType({ fields }: AnswerHead): string {
  const type = fields["content-type"] ?? "";
  const end = type.indexOf(";");
  return (end === -1 ? type : type.slice(0, end)).trim().toLowerCase();
}

function readEvents(events: EventReader, chunk: Buffer, reading: AnswerReading): Promise<void>[] {
  const waits: Promise<void>[] = [];
  for (const event of events.read(chunk)) {
    if (event.kind === "comment" || event.data === "") {
      reading.sink.filler(event.kind === "comment" ? {} : { eventId: event.id, retry: event.retry });
      continue;
    }
    // What is no message is left out: the agent's client could not use it either.
    for (const message of readServerMessages(event.data) ?? []) {
      const wait = deliver(message, reading, { eventId: event.id, retry: event.retry });
      if (wait !== undefined) {
        waits.push(wait);
      }
    }
  }
  return waits;
}

function deliver(
  message: ServerMessage,
  reading: AnswerReading,
  carriage: Carriage,
): Promise<void> | undefined {
  if (message.kind === "request") {
    const { sink } = reading;
    const answer = (text: string): void => reading.answer(text);
    // A document ends with itself: whatever it asks, nobody could have been asked on it.
    if (sink.asked !== undefined && carriage.status === undefined) {
      return sink.asked(message, { carriage, answer });
    }
    answer(reading.refuse(message));
    return undefined;
  }
  return reading.sink.message(message, carriage);
}
