/**
 * One session with a stdio server, in a process of its own: what the server says without being asked goes to the
 * stream that the agent opened for it, or waits for it within bounds.
 */
import type {
  ServerAnswer,
  ServerMessage,
  ServerNotification,
  ServerRequest,
} from "../../messages/server-message.ts";
import type { ChildOwner, StdioChild } from "./stdio-child.ts";
import type { Sending, Sink } from "../upstream.ts";

const MAX_WAITING = 16;
/** One character per byte. */
const MAX_WAITING_LENGTH = 64 * 1024;

interface StdioSessionEvents {
  answer(request: ServerRequest): string;
  toolsChanged(): void;
  over(): void;
}

export class StdioSession implements ChildOwner {
  readonly child: StdioChild;
  readonly #events: StdioSessionEvents;
  #stream: Sink | undefined;
  #waiting: ServerNotification[] = [];

  constructor(child: StdioChild, events: StdioSessionEvents) {
    this.child = child;
    this.#events = events;
  }

  unsolicited(message: Exclude<ServerMessage, ServerAnswer>): void {
    if (message.kind === "request") {
      this.#ask(message);
      return;
    }
    if (message.method === "notifications/cancelled") {
      void (this.child.latestSink ?? this.#stream)?.message(message, {});
      return;
    }
    if (message.method === "notifications/tools/list_changed") {
      this.#events.toolsChanged();
    }
    if (this.#stream !== undefined) {
      void this.#stream.message(message, {});
    } else if (this.#waiting.length < MAX_WAITING && message.text.length <= MAX_WAITING_LENGTH) {
      this.#waiting.push(message);
    }
  }

  /** A pipe does not say to what it belongs: most likely to what the agent asked last. */
  #ask(request: ServerRequest): void {
    const sink = this.child.latestSink ?? this.#stream;
    const answer = (text: string): void => this.child.notify(text);
    if (sink?.asked === undefined) {
      answer(this.#events.answer(request));
    } else {
      void sink.asked(request, { carriage: {}, answer });
    }
  }

  over(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.ended();
    this.#events.over();
  }

  /** One at a time: a message goes to one stream only. */
  openStream(sink: Sink): Sending {
    if (this.#stream !== undefined) {
      sink.status(409);
      return { cancel: () => undefined, leave: () => undefined };
    }
    this.#stream = sink;
    sink.opened();
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach((message) => void sink.message(message, {}));
    const leave = (): void => {
      if (this.#stream === sink) {
        this.#stream = undefined;
      }
    };
    return { cancel: leave, leave };
  }
}
