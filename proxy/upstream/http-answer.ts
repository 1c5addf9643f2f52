/**
 * Reads what a server answers over HTTP, a document or an event stream, and hands it over message by message.
 * It reads no faster than the agent does, and never more than one message is held.
 */
import type { IncomingMessage } from "node:http";
import type { Limits } from "../limits.ts";
import { readServerMessages, type ServerMessage, type ServerRequest } from "../messages/server-message.ts";
import { EventReader, StreamFault } from "../messages/sse.ts";
import type { Carriage, Loss, Sink } from "./upstream.ts";

/** Of an answer that nobody reads. */
const PASSED_OVER_BYTES = 64 * 1024;
const PASSED_OVER_MS = 1_000;

export interface AnswerReading {
  readonly sink: Sink;
  readonly limits: Limits;
  /** Nobody waits any more. */
  isOver(): boolean;
  answer(request: ServerRequest): void;
}

export function readHttpAnswer(response: IncomingMessage, reading: AnswerReading): void {
  const status = response.statusCode ?? 0;
  const loss = findLoss(response, status);
  if (loss !== undefined) {
    passOver(response);
    reading.sink.failed(loss);
    return;
  }
  const type = (response.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type === "text/event-stream" && status === 200) {
    readStream(response, reading);
  } else if (type === "application/json") {
    readDocument(response, reading, status);
  } else {
    passOver(response);
    reading.sink.status(status);
  }
}

/** Read to its end, so that the connection can be used again, unless it has none that is near. */
function passOver(response: IncomingMessage): void {
  let bytes = 0;
  const timer = setTimeout(() => response.destroy(), PASSED_OVER_MS).unref();
  response.once("close", () => clearTimeout(timer));
  response.on("error", () => undefined);
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > PASSED_OVER_BYTES) {
      response.destroy();
    }
  });
}

function findLoss(response: IncomingMessage, status: number): Loss | undefined {
  if (status === 401 || status === 403 || status === 407) {
    return { code: "credentials_refused", detail: `HTTP ${status}` };
  }
  if (status >= 300 && status < 400) {
    return { code: "redirected", detail: `HTTP ${status}` };
  }
  const encoding = response.headers["content-encoding"] ?? "identity";
  return encoding === "identity" ? undefined : { code: "unreadable", detail: "content-encoding" };
}

function readDocument(response: IncomingMessage, reading: AnswerReading, status: number): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = onceOver(reading, response);
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > reading.limits.maxAnswerBytes) {
      finish((sink) =>
        sink.failed({ code: "too_large", detail: `more than ${reading.limits.maxAnswerBytes} bytes` }),
      );
      return;
    }
    chunks.push(chunk);
  });
  response.once("end", () =>
    finish((sink) => {
      const whole = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      const messages = readServerMessages(whole.toString("latin1"), whole);
      if (messages !== undefined) {
        messages.forEach((message) => void deliver(message, reading, { status }));
        sink.ended();
      } else if (status === 200) {
        sink.failed({ code: "unreadable", detail: "not a message" });
      } else {
        sink.status(status);
      }
    }),
  );
  const broken = (): void => finish((sink) => sink.failed({ code: "closed", detail: "mid-answer" }));
  response.once("error", broken);
  response.once("close", broken);
}

function readStream(response: IncomingMessage, reading: AnswerReading): void {
  const events = new EventReader(reading.limits.maxAnswerBytes);
  const finish = onceOver(reading, response);
  reading.sink.opened();
  response.on("data", (chunk: Buffer) => {
    if (reading.isOver()) {
      return;
    }
    try {
      const waits = readEvents(events, chunk, reading);
      if (waits.length > 0) {
        response.pause();
        void Promise.all(waits).then(() => response.resume());
      }
    } catch (error) {
      if (!(error instanceof StreamFault)) {
        throw error;
      }
      const code = error.code === "event_too_large" ? "too_large" : "unreadable";
      finish((sink) => sink.failed({ code, detail: error.code }));
    }
  });
  response.once("end", () => finish((sink) => sink.ended()));
  const broken = (): void => finish((sink) => sink.failed({ code: "closed", detail: "mid-answer" }));
  response.once("error", broken);
  response.once("close", broken);
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
    reading.answer(message);
    return undefined;
  }
  return reading.sink.message(message, carriage);
}

/** One end only, and none after the reading is over. */
function onceOver(reading: AnswerReading, response: IncomingMessage): (end: (sink: Sink) => void) => void {
  let isEnded = false;
  return (end) => {
    if (!isEnded && !reading.isOver()) {
      isEnded = true;
      end(reading.sink);
    }
    if (!response.complete) {
      response.destroy();
    }
  };
}
