/**
 * A stream of a session that belongs to no request (GET): notifications, and after a break the rest of a stream
 * that was under way, with the answer that was missing.
 */
import type { Reply } from "../front/reply.ts";
import { refuseHttp } from "../messages/refusals.ts";
import type { ServerMessage, ServerRequest } from "../messages/server-message.ts";
import type { Carriage, Loss, Sending, Sink } from "../upstream/upstream.ts";
import type { Hearing } from "./hearing.ts";
import type { Inspecting } from "./inspecting.ts";
import type { Kind } from "./named-things.ts";
import { CHANGED, writeChanged } from "./passing.ts";
import type { Session } from "./session.ts";

export interface SessionStreamOptions {
  readonly reply: Reply;
  readonly session: Session | undefined;
  readonly keepAliveMs: number;
  /** What of the server's notifications the agent hears. */
  readonly hearing: Hearing;
  readonly inspecting: Inspecting;
  lost(loss: Loss): void;
  answeredStatus(status: number): void;
  messageDropped(): void;
  /** The server said that its tools changed. */
  toolsChanged(): void;
  over(): void;
}

export class SessionStream implements Sink {
  readonly #options: SessionStreamOptions;
  readonly #timer: NodeJS.Timeout;
  #sending: Sending | undefined;
  #isOver = false;

  constructor(options: SessionStreamOptions) {
    this.#options = options;
    this.#timer = setInterval(() => options.reply.sendComment(), options.keepAliveMs).unref();
    options.reply.onGone(() => this.close());
  }

  start(open: (sink: Sink) => Sending): void {
    const sending = open(this);
    if (this.#isOver) {
      sending.leave();
    } else {
      this.#sending = sending;
    }
  }

  opened(): void {
    this.#options.reply.openStream();
    this.#announceDue();
  }

  /** What the policy takes away in the middle of a session: on one stream of each, on all where nobody has one. */
  announceChanged(kinds: ReadonlySet<Kind>): void {
    if (this.#options.session === undefined) {
      this.#announce(kinds);
    } else {
      this.#announceDue();
    }
  }

  #announceDue(): void {
    const { reply, session } = this.#options;
    if (reply.isStreaming && session !== undefined) {
      this.#announce(session.takeNotices());
    }
  }

  #announce(kinds: ReadonlySet<Kind>): void {
    const { reply } = this.#options;
    for (const kind of reply.isStreaming ? kinds : []) {
      void reply.sendEvent({ data: writeChanged(kind) });
    }
  }

  filler({ eventId, retry }: Carriage): void {
    if (eventId === undefined && retry === undefined) {
      this.#options.reply.sendComment();
    } else {
      void this.#options.reply.sendEvent({ data: "", id: eventId, retry });
    }
  }

  message(message: Exclude<ServerMessage, ServerRequest>, carriage: Carriage): Promise<void> | undefined {
    const { reply, session, hearing, inspecting } = this.#options;
    const { eventId: id, retry } = carriage;
    if (message.kind === "notification") {
      if (message.method === CHANGED.tool) {
        this.#options.toolsChanged();
      }
      const heard = hearing.hear(message);
      const data = heard === undefined ? undefined : inspecting.pass(heard)?.text;
      return data === undefined ? undefined : reply.sendEvent({ data, id, retry });
    }
    if (carriage.status !== undefined) {
      this.#options.answeredStatus(carriage.status);
      // A document instead of a stream can only say why there is none.
      const shown = message.kind === "error" ? inspecting.pass(message) : undefined;
      this.#end(() =>
        shown === undefined ? reply.finishEmpty(502) : reply.finish(carriage.status ?? 502, shown.text),
      );
      return undefined;
    }
    const exchange = session?.findAwaiting(message.id);
    if (exchange === undefined) {
      this.#options.messageDropped();
      return undefined;
    }
    return reply.sendEvent({ data: exchange.resolve(message).text, id, retry });
  }

  status(status: number): void {
    this.#options.answeredStatus(status);
    const { reply } = this.#options;
    const { text } = refuseHttp(status, `The server answered with HTTP ${status}`);
    if (status === 405) {
      reply.setField("allow", "POST");
    }
    this.#end(() => reply.finish(status, text));
  }

  ended(): void {
    this.#end(() => this.#options.reply.finishEmpty(502));
  }

  failed(loss: Loss): void {
    this.#options.lost(loss);
    const { reply } = this.#options;
    const { text } = refuseHttp(502, `The server gave no answer (${loss.code}: ${loss.detail})`);
    this.#end(() => (reply.isStreaming ? reply.finishEmpty(502) : reply.finish(502, text)));
  }

  close(): void {
    this.#end(() => {
      this.#sending?.leave();
      this.#options.reply.finishEmpty(503);
    });
  }

  #end(finish: () => void): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    clearInterval(this.#timer);
    finish();
    this.#options.over();
  }
}
