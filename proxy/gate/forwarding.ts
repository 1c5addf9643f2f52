/**
 * The way from the gate to one server and back: what is in flight there, which streams are open, and whether the
 * server can be reached at all.
 */
import { randomInt } from "node:crypto";
import { type Reply, send } from "../front/reply.ts";
import type { Inspection } from "../../policies/session-policy.ts";
import type { Inspector } from "../inspection/inspection.ts";
import type { Limits } from "../limits.ts";
import type { ClientNotification, ClientRequest } from "../messages/envelope.ts";
import { refuseBusy } from "../messages/refusals.ts";
import type { ServerAnswer } from "../messages/server-message.ts";
import type { Places } from "../places.ts";
import type { Recording } from "../recording.ts";
import type { Loss, Sink, Upstream } from "../upstream/upstream.ts";
import type { Amend } from "./amendment.ts";
import { ChangeNotice } from "./change-notice.ts";
import { Exchange } from "./exchange.ts";
import { InFlight } from "./in-flight.ts";
import type { Hearing } from "./hearing.ts";
import { FULL_INSPECTION, Inspecting } from "./inspecting.ts";
import { type Bounds, Inquiry, type Question } from "./inquiry.ts";
import type { Kind } from "./named-things.ts";
import { eraOf, parseAccept, revisionOf, type Sender, writeAccept } from "./sender.ts";
import { SessionStream } from "./session-stream.ts";
import type { SessionTable } from "./session.ts";
import type { Subscriptions } from "./subscriptions.ts";

export interface ForwardingOptions {
  readonly server: string;
  readonly recording: Recording;
  readonly limits: Limits;
  readonly sessions: SessionTable;
  /** For what stays open. */
  readonly streams: Places;
  readonly upstream: Upstream;
  readonly inspector: Inspector;
  readonly hearingOf: (subscriptions: Subscriptions) => Hearing;
}

export interface RequestOptions {
  readonly reply: Reply;
  readonly amend: Amend;
  readonly callId?: string;
  /** Everything, unless a grant says less. */
  readonly inspection?: Inspection;
  readonly paramFields?: ReadonlyMap<string, string>;
  /** A subscription: it stays open until either side ends it. */
  readonly isStanding?: boolean;
  /** Of a subscription: the kinds of whose changes it wants to hear. */
  readonly hearsOf?: ReadonlySet<Kind>;
  /** Of a subscription: what else of the server it hears. */
  readonly hearing?: Hearing;
  readonly opensSession?: (session: string) => void;
  /** Once, when the request is no longer in flight. */
  readonly over?: () => void;
}

const NOTHING: ReadonlySet<Kind> = new Set();

export class Forwarding {
  readonly #options: ForwardingOptions;
  readonly #exchanges = new InFlight();
  readonly #sessionStreams = new Set<SessionStream>();
  readonly #inquiries = new Set<Inquiry>();
  /** Of a session's request; from a place that nobody can count on, a request without a session least of all. */
  #lastId = randomInt(2 ** 40);
  #isLost = false;
  #whenIdle: (() => void) | undefined;

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  request(sender: Sender, request: ClientRequest, options: RequestOptions): void {
    const { server, recording, limits, streams, upstream, sessions } = this.#options;
    const { reply, amend, callId, isStanding = false } = options;
    const { session } = sender;
    if (isStanding && !streams.take()) {
      recording.noteRepeated("limit_reached", "streams", { limit: "max_streams" });
      send(reply, refuseBusy(request.id, "streams"));
      return;
    }
    const era = eraOf(request);
    // In a session an answer can come again on another stream: under an id that was used twice it would pass for the
    // answer to something else, a list that nobody filtered for one.
    const wireId = session === undefined ? request.id : ++this.#lastId;
    const exchange = new Exchange({
      ...{ request, wireId, era, server, reply, recording, callId },
      amend: (answer) => {
        this.#isLost = false;
        return amend(answer);
      },
      timeoutMs: isStanding ? undefined : limits.callTimeoutMs,
      keepAliveMs: limits.keepAliveMs,
      resumeGraceMs: session === undefined ? undefined : limits.resumeGraceMs,
      isAwaited: () => session !== undefined && session.streams > 0,
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      messageDropped: () => this.noteMessageDropped(),
      notice: new ChangeNotice({
        ...{ reply, era, id: request.id },
        hearsOf: options.hearsOf ?? NOTHING,
        takeNotices: () => session?.takeNotices() ?? NOTHING,
        toolsChanged: () => sessions.forgetSightings(session?.id),
      }),
      hearing: options.hearing ?? this.#hearingOf(sender),
      inspecting: this.#openInspecting(options),
      over: () => {
        session?.exchanges.remove(exchange);
        this.#exchanges.remove(exchange);
        if (isStanding) {
          streams.free();
        }
        options.over?.();
        this.#checkIdle();
      },
    });
    session?.exchanges.add(exchange);
    this.#exchanges.add(exchange);
    const forward = {
      ...{ message: { ...request, id: wireId }, era },
      revision: revisionOf(sender),
      session: session?.id,
      accept: writeAccept(parseAccept(sender.fields)),
      paramFields: options.paramFields ?? new Map<string, string>(),
    };
    exchange.start((sink) => upstream.send(forward, sink, options.opensSession ?? (() => undefined)));
  }

  /** `reply` gets the status that the server gave. */
  notify(sender: Sender, notification: ClientNotification, reply: Reply | undefined): void {
    const { upstream } = this.#options;
    const forward = {
      ...{ message: notification, era: eraOf(notification) },
      revision: revisionOf(sender),
      session: sender.session?.id,
      accept: writeAccept(parseAccept(sender.fields)),
      paramFields: new Map<string, string>(),
    };
    const inspecting = this.#openInspecting({});
    const sink: Sink = {
      opened: () => undefined,
      filler: () => undefined,
      message: (message, { status }) => {
        if (status !== undefined && status >= 400) {
          const shown = inspecting.pass(message);
          if (shown === undefined) {
            reply?.finishEmpty(status);
          } else {
            reply?.finish(status, shown.text);
          }
        }
        return undefined;
      },
      status: (status) => {
        this.#noteStatus(sender, status);
        reply?.finishEmpty(status);
      },
      ended: () => reply?.finishEmpty(202),
      failed: (loss) => {
        this.#noteLost(loss);
        reply?.finishEmpty(502);
      },
    };
    upstream.send(forward, sink, () => undefined);
  }

  openStream(sender: Sender, reply: Reply): void {
    const { streams, upstream, limits, recording, sessions } = this.#options;
    const { session } = sender;
    if (!streams.take()) {
      recording.noteRepeated("limit_reached", "streams", { limit: "max_streams" });
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
      keepAliveMs: limits.keepAliveMs,
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      messageDropped: () => this.noteMessageDropped(),
      toolsChanged: () => sessions.forgetSightings(session?.id),
      over: () => {
        streams.free();
        this.#sessionStreams.delete(stream);
        if (session !== undefined) {
          session.streams--;
        }
      },
    });
    this.#sessionStreams.add(stream);
    const request = {
      revision: revisionOf(sender),
      session: session?.id,
      accept: "text/event-stream",
      lastEventId: sender.fields.get("last-event-id"),
    };
    stream.start((sink) => upstream.openStream(request, sink));
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
    const { upstream, limits } = this.#options;
    const message = { kind: "request" as const, id: ++this.#lastId, method, params };
    const forward = {
      ...{ message, era: eraOf(message) },
      revision: revisionOf(sender),
      session: sender.session?.id,
      accept: writeAccept({ document: true, stream: true }),
      paramFields: new Map<string, string>(),
    };
    const inquiry = new Inquiry(message.id, Math.min(maxBytes, limits.maxAnswerBytes), {
      lost: (loss) => this.#noteLost(loss),
      answeredStatus: (status) => this.#noteStatus(sender, status),
      messageDropped: () => this.noteMessageDropped(),
      toolsChanged: () => this.#options.sessions.forgetSightings(sender.session?.id),
    });
    this.#inquiries.add(inquiry);
    inquiry.start((sink) => upstream.send(forward, sink, () => undefined), timeoutMs);
    return inquiry.answer.finally(() => this.#inquiries.delete(inquiry));
  }

  /** On each stream that can hear it; a session without one hears it on the next that opens. */
  announceChanged(kinds: ReadonlySet<Kind>): void {
    for (const session of this.#options.sessions.list()) {
      kinds.forEach((kind) => session.noticesDue.add(kind));
    }
    [...this.#sessionStreams].forEach((stream) => stream.announceChanged(kinds));
    this.#exchanges.list().forEach((exchange) => exchange.announceChanged(kinds));
  }

  /** Calls in flight have `graceMs` to end; then they are cancelled. */
  async close(graceMs: number): Promise<void> {
    [...this.#inquiries].forEach((inquiry) => inquiry.giveUp());
    this.#exchanges.list().forEach((exchange) => exchange.isStanding && exchange.cancel());
    [...this.#sessionStreams].forEach((stream) => stream.close());
    if (this.#exchanges.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
        setTimeout(resolve, graceMs).unref();
      });
    }
    this.#exchanges.list().forEach((exchange) => exchange.cancel());
    await this.#options.upstream.close();
  }

  noteMessageDropped(): void {
    const { recording, server } = this.#options;
    recording.noteRepeated("server_message_dropped", server, { server, reason: "answers_nothing" });
  }

  /** One event for one outage. A server whose answer cannot be taken is there. */
  #noteLost({ code, detail }: Loss): void {
    const { recording, server } = this.#options;
    if (code === "too_large" || code === "unreadable") {
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

  #hearingOf({ agent, session }: Sender): Hearing {
    const { sessions, hearingOf } = this.#options;
    return hearingOf(sessions.subscriptionsOf(agent, session));
  }

  #checkIdle(): void {
    if (this.#exchanges.size === 0) {
      this.#whenIdle?.();
    }
  }
}
