/**
 * The way from the gate to one server and back: what is in flight there, which streams are open, and whether the
 * server can be reached at all.
 */
import { randomInt } from "node:crypto";
import { type Reply, send } from "../../front/reply.ts";
import type { ClientNotification, ClientRequest } from "../../messages/envelope.ts";
import { refuseBusy } from "../../messages/refusals.ts";
import type { ServerAnswer } from "../../messages/server-message.ts";
import type { Loss } from "../../upstream/upstream.ts";
import { ChangeNotice } from "../lists/change-notice.ts";
import { Exchange } from "./exchange.ts";
import { InFlight } from "./in-flight.ts";
import type { Hearing } from "../sessions/hearing.ts";
import { FULL_INSPECTION, Inspecting } from "./inspecting.ts";
import { type Bounds, Inquiry, type Question } from "./inquiry.ts";
import type { Kind } from "../named-things.ts";
import { awaitReceipt } from "./notification-receipt.ts";
import { eraOf, isSameViewer, parseAccept, revisionOf, type Sender, writeAccept } from "../sender.ts";
import { openAsking } from "../asks/server-request.ts";
import { SessionStream } from "../sessions/session-stream.ts";
import { hearUnasked } from "../asks/unasked-words.ts";
import { holdUndecided } from "./undecided.ts";
import type { ForwardingOptions, RequestOptions } from "./forwarding-options.ts";

const NOTHING: ReadonlySet<Kind> = new Set();

export class Forwarding {
  readonly #options: ForwardingOptions;
  readonly #exchanges = new InFlight();
  readonly #sessionStreams = new Map<SessionStream, Sender>();
  readonly #inquiries = new Set<Inquiry>();
  /** Of a session's request; from a place that nobody can count on, a request without a session least of all. */
  #lastId = randomInt(2 ** 40);
  #isLost = false;
  #isClosing = false;
  #whenIdle: (() => void) | undefined;

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  request(sender: Sender, request: ClientRequest, options: RequestOptions): void {
    const { server, recording, limits, load, streams, upstream, listChanged, asks } = this.#options;
    const { reply, amend, callId, isStanding = false } = options;
    const { session } = sender;
    const places = isStanding ? streams : load;
    if (!places.take()) {
      this.#noteFull(isStanding);
      options.over?.();
      send(reply, refuseBusy(request.id, isStanding ? "streams" : "requests"));
      return;
    }
    const era = eraOf(request);
    // In a session an answer can come again on another stream: under an id that was used twice it would pass for the
    // answer to something else, a list that nobody filtered for one.
    const wireId = session === undefined ? request.id : ++this.#lastId;
    const exchange = new Exchange({
      ...{ request, wireId, era, server, reply, recording, callId },
      admitAnswer: options.admitAnswer,
      amend: (answer) => {
        this.#isLost = false;
        return amend(answer);
      },
      timeoutMs: isStanding ? undefined : limits.callTimeoutMs,
      pulse: limits,
      resumeGraceMs: session === undefined ? undefined : limits.resumeGraceMs,
      isAwaited: () => session !== undefined && session.streams > 0,
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      messageDropped: () => this.noteMessageDropped(),
      notice: new ChangeNotice({
        ...{ reply, era, id: request.id },
        hearsOf: options.hearsOf ?? NOTHING,
        takeNotices: () => session?.takeNotices() ?? NOTHING,
        sender,
        listChanged: (kind) => listChanged(sender, kind),
      }),
      hearing: options.hearing ?? this.#hearingOf(sender),
      inspecting: this.#openInspecting(options),
      // Without sessions a server asks within its answers, and before it has one it asks nothing.
      ask: openAsking(
        asks,
        sender,
        era === "handshake" && request.method !== "initialize" && parseAccept(sender.fields).stream,
      ),
      over: () => {
        session?.exchanges.remove(exchange);
        this.#exchanges.remove(exchange);
        places.free();
        options.over?.();
        this.#checkIdle();
      },
    });
    session?.exchanges.add(exchange);
    this.#exchanges.add(exchange);
    const forward = {
      ...{ message: { ...request, id: wireId }, era, agent: sender.agent },
      calls: callId === undefined ? options.calls : [callId],
      revision: revisionOf(sender),
      session: session?.id,
      accept: writeAccept(parseAccept(sender.fields)),
      paramFields: options.paramFields ?? new Map<string, string>(),
    };
    exchange.start((sink) =>
      upstream.send(
        forward,
        holdUndecided(asks, { sender, sink }, () => exchange),
        options.opensSession ?? (() => undefined),
      ),
    );
  }

  /** `reply` gets the status that the server gave. */
  notify(sender: Sender, notification: ClientNotification, reply: Reply | undefined): void {
    const { upstream, limits } = this.#options;
    const forward = {
      ...{ message: notification, era: eraOf(notification), agent: sender.agent },
      revision: revisionOf(sender),
      session: sender.session?.id,
      accept: writeAccept(parseAccept(sender.fields)),
      paramFields: new Map<string, string>(),
    };
    const sink = awaitReceipt(reply, this.#openInspecting({}), {
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      over: () => clearTimeout(timer),
    });
    // A server that takes its time holds agent and connection no longer than with a call.
    const timer = setTimeout(() => {
      sending.leave();
      reply?.finishEmpty(504);
    }, limits.callTimeoutMs).unref();
    const sending = upstream.send(forward, sink, () => undefined);
  }

  openStream(sender: Sender, reply: Reply): void {
    const { server, streams, upstream, limits, recording, listChanged, asks } = this.#options;
    const { session } = sender;
    if (!streams.take()) {
      this.#noteFull(true);
      send(reply, refuseBusy(null, "streams"));
      return;
    }
    if (session !== undefined) {
      session.streams++;
    }
    const stream = new SessionStream({
      ...{ reply, session },
      hearing: this.#hearingOf(sender),
      inspecting: this.#openInspecting({}),
      ask: openAsking(asks, sender, true),
      pulse: limits,
      idle: () => recording.noteLimit(server, "stream_idle"),
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      messageDropped: () => this.noteMessageDropped(),
      listChanged: (kind) => listChanged(sender, kind),
      over: () => {
        streams.free();
        this.#sessionStreams.delete(stream);
        if (session !== undefined) {
          session.streams--;
        }
      },
    });
    this.#sessionStreams.set(stream, sender);
    const request = {
      revision: revisionOf(sender),
      session: session?.id,
      accept: "text/event-stream",
      lastEventId: sender.fields.get("last-event-id"),
      agent: sender.agent,
    };
    const findAsked = ({ id }: ServerAnswer): Exchange | undefined => session?.findAwaiting(id);
    stream.start((sink) => upstream.openStream(request, holdUndecided(asks, { sender, sink }, findAsked)));
  }

  /**
   * A request of the gate's own, in the name of the sender's session. Resolves with the answer, or with nothing when
   * there is none in time, or more than `maxBytes` of it.
   */
  ask(
    sender: Sender,
    { method, params }: Question,
    { timeoutMs, maxBytes }: Bounds,
  ): Promise<ServerAnswer | undefined> {
    if (this.#isClosing) {
      return Promise.resolve(undefined);
    }
    const { upstream, limits } = this.#options;
    const message = { kind: "request" as const, id: ++this.#lastId, method, params };
    const forward = {
      ...{ message, era: eraOf(message), agent: sender.agent },
      revision: revisionOf(sender),
      session: sender.session?.id,
      accept: writeAccept({ document: true, stream: true }),
      paramFields: new Map<string, string>(),
    };
    const inquiry = new Inquiry(message.id, Math.min(maxBytes, limits.maxAnswerBytes), {
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      messageDropped: () => this.noteMessageDropped(),
      listChanged: (kind) => this.#options.listChanged(sender, kind),
    });
    this.#inquiries.add(inquiry);
    inquiry.start((sink) => upstream.send(forward, sink, () => undefined), timeoutMs);
    return inquiry.answer.finally(() => this.#inquiries.delete(inquiry));
  }

  /** To every agent, or to one: on each stream that can hear it; a session without one hears it on the next that opens. */
  announceChanged(kinds: ReadonlySet<Kind>, to?: Sender): void {
    for (const session of this.#options.sessions.list()) {
      if (to === undefined || to.session === session) {
        kinds.forEach((kind) => session.noticesDue.add(kind));
      }
    }
    for (const [stream, sender] of [...this.#sessionStreams]) {
      if (to === undefined || isSameViewer(sender, to)) {
        stream.announceChanged(kinds);
      }
    }
    this.#exchanges.list().forEach((exchange) => exchange.announceChanged(kinds, to));
  }

  /** Calls in flight have `graceMs` to end; then they are cancelled. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    [...this.#inquiries].forEach((inquiry) => inquiry.giveUp());
    this.#exchanges.list().forEach((exchange) => exchange.isStanding && exchange.cancel());
    [...this.#sessionStreams.keys()].forEach((stream) => stream.close());
    if (this.#exchanges.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
        setTimeout(resolve, graceMs).unref();
      });
    }
    this.#exchanges.list().forEach((exchange) => exchange.cancel());
    this.#options.asks.waiting.abandon(() => true, "cancelled");
    await this.#options.upstream.close();
  }

  noteMessageDropped(): void {
    const { recording, server } = this.#options;
    recording.noteRepeated("server_message_dropped", server, { server, reason: "answers_nothing" });
  }

  /** Streams are counted over all servers. */
  #noteFull(isStream: boolean): void {
    const { recording, server } = this.#options;
    if (isStream) {
      recording.noteRepeated("limit_reached", "streams", { limit: "max_streams" });
    } else {
      recording.noteLimit(server, "concurrent_calls");
    }
  }

  /** One event for one outage. A server whose answer cannot be taken is there. */
  #noteLost({ code, detail }: Loss): void {
    const { recording, server } = this.#options;
    if (code === "too_large") {
      recording.noteLimit(server, "answer_size");
    } else if (code === "too_costly") {
      recording.noteLimit(server, "inspection");
    }
    if (code === "too_large" || code === "too_costly" || code === "unreadable") {
      recording.noteRepeated("server_message_dropped", `${server} ${code}`, { server, reason: code });
    } else if (!this.#isLost) {
      this.#isLost = true;
      recording.noteEvent("upstream_lost", "warning", { server, code, detail });
    }
  }

  /** A session that the server does not know any more is none. */
  #noteStatus({ session }: Sender, status: number): void {
    if (status === 404 && session !== undefined) {
      this.#options.sessions.forget(session.id);
    }
  }

  #openInspecting({ callId, inspection = FULL_INSPECTION }: Partial<RequestOptions>): Inspecting {
    const { server, recording, inspector } = this.#options;
    return new Inspecting({ server, recording, inspector, inspection, callId });
  }

  #hearingOf(sender: Sender): Hearing {
    const { sessions, hearingOf, asks } = this.#options;
    const hearing = hearingOf(sessions.subscriptionsOf(sender.agent, sender.session));
    return {
      hear: (notification) => hearing.hear(notification) ?? hearUnasked(asks, sender, notification),
    };
  }

  #checkIdle(): void {
    if (this.#exchanges.size === 0) {
      this.#whenIdle?.();
    }
  }
}
