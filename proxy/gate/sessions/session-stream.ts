/**
 * A stream of a session that belongs to no request (GET): notifications, and after a break the rest of a stream
 * that was under way, with the answer that was missing.
 */
import type { Reply } from "../../front/reply.ts";
import { refuseHttp } from "../../messages/refusals.ts";
import type { ServerMessage, ServerRequest } from "../../messages/server-message.ts";
import type { Asking, Carriage, Loss, Sending, Sink } from "../../upstream/upstream.ts";
import type { Hearing } from "./hearing.ts";
import type { Inspecting } from "../forwarding/inspecting.ts";
import type { Kind } from "../named-things.ts";
import { findChangedKind, writeChanged } from "../passing.ts";
import type { PassAsk } from "../asks/server-request.ts";
import type { Session } from "./session.ts";
import { type PulseBounds, StreamPulse } from "./stream-pulse.ts";

export interface SessionStreamOptions {
  readonly reply: Reply;
  readonly session: Session | undefined;
  readonly pulse: PulseBounds;
  /** What of the server's notifications the agent hears. */
  readonly hearing: Hearing;
  readonly inspecting: Inspecting;
  /** The server asks the agent's side for something. */
  readonly ask: PassAsk;
  /** Nothing came on it for too long. */
  idle(): void;
  lost(loss: Loss): void;
  answeredStatus(status: number): void;
  messageDropped(): void;
  /** The server said so. */
  listChanged(kind: Kind): void;
  over(): void;
}

export class SessionStream implements Sink {
  readonly #options: SessionStreamOptions;
  readonly #pulse: StreamPulse;
  #sending: Sending | undefined;
  #isOver = false;

  constructor(options: SessionStreamOptions) {
    this.#options = options;
    this.#pulse = new StreamPulse(options.pulse, {
      beat: () => options.reply.sendComment(),
      idle: () => {
        options.idle();
        this.close();
      },
    });
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
    this.#pulse.heard();
    if (eventId === undefined && retry === undefined) {
      this.#options.reply.sendComment();
    } else {
      void this.#options.reply.sendEvent({ data: "", id: eventId, retry });
    }
  }

  asked(request: ServerRequest, { carriage, answer }: Asking): Promise<void> | undefined {
    const { eventId: id, retry } = carriage;
    const send = (data: string): Promise<void> | undefined =>
      this.#options.reply.sendEvent({ data, id, retry });
    return this.#options.ask(request, { stream: this, send, answer, isOpen: !this.#isOver });
  }

  message(message: Exclude<ServerMessage, ServerRequest>, carriage: Carriage): Promise<void> | undefined {
    const { reply, session, hearing, inspecting } = this.#options;
    const { eventId: id, retry } = carriage;
    this.#pulse.heard();
    if (message.kind === "notification") {
      const kind = findChangedKind(message.method);
      if (kind !== undefined) {
        this.#options.listChanged(kind);
        return undefined;
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
    this.#pulse.stop();
    finish();
    this.#options.over();
  }
}
