/**
 * The gate before one server: every message of an agent comes here, and only what is in the tables of this room goes on.
 * What is not let through is answered without asking the server.
 */
import type { Usage } from "../../policies/decision.ts";
import { type Reply, send, splitReply } from "../front/reply.ts";
import type { Limits } from "../limits.ts";
import {
  type ClientMessage,
  type ClientNotification,
  type ClientRequest,
  isRequestId,
} from "../messages/envelope.ts";
import type { Fields } from "../messages/fields.ts";
import type { Incoming } from "../messages/incoming.ts";
import {
  refuseEndedSessionRequest,
  refuseHttp,
  refuseMessage,
  refuseMethod,
  refuseMissingSession,
  refuseUnknownSession,
} from "../messages/refusals.ts";
import { BATCH_REVISION, type Era } from "../messages/revision.ts";
import { isRecordingFailure } from "../recorder.ts";
import { isAskGranted } from "./asks/ask-decision.ts";
import { type Asked, findClient, type GateContext } from "./gate-context.ts";
import { noteCatalogs } from "./lists/list-intake.ts";
import { type Listing, LISTINGS, NAMED_METHODS } from "./named-things.ts";
import { type Passage, PASSAGES } from "./passages.ts";
import { passesFromClient, ROOTS_CHANGED } from "./passing.ts";
import { type CallIds, eraOf, findTraceparent, parseAccept, revisionOf, type Sender } from "./sender.ts";
import { passClientAnswer } from "./asks/server-request.ts";
import type { Session } from "./sessions/session.ts";

/** Who asks, how, and where the answer goes. */
export interface Visit {
  readonly agent: string;
  readonly fields: Fields;
  readonly callIds?: CallIds | undefined;
  readonly reply: Reply;
}

export type Post = Extract<Incoming, { ok: true }>;

const SWEEP_MS = 30_000;

/** By list: the names that agents see. */
type VisibleLists = ReadonlyMap<Listing, ReadonlySet<string>>;

const NOTHING: ReadonlySet<string> = new Set();

export class Gate {
  readonly #context: GateContext;
  readonly #endSession: (session: Session) => Promise<number>;
  readonly #sweep: NodeJS.Timeout;
  #isClosed = false;

  /** `endSession` tells the server; the HTTP status that it gave. */
  constructor(context: GateContext, endSession: (session: Session) => Promise<number>) {
    this.#context = context;
    this.#endSession = endSession;
    const { sessionIdleMs } = context.limits;
    this.#sweep = setInterval(() => this.#endIdle(), Math.min(SWEEP_MS, sessionIdleMs)).unref();
  }

  get limits(): Limits {
    return this.#context.limits;
  }

  /** The messages of one POST. */
  post({ agent, fields, reply, callIds }: Visit, { messages, isBatch }: Post): void {
    if (this.#isClosed) {
      // Let in before the end, and heard to its end after it: what it asks could no longer be recorded whole.
      send(reply, refuseHttp(503, "Service Unavailable: the proxy is closing"));
      return;
    }
    const accepted = parseAccept(fields);
    if (!accepted.document && !accepted.stream) {
      send(
        reply,
        refuseHttp(406, "Not Acceptable: application/json and text/event-stream are what there is"),
      );
      return;
    }
    const [first] = messages;
    const isStateless = first !== undefined && eraOf(first) === "stateless";
    const session = isStateless ? undefined : this.#findSession(agent, fields);
    if (session === "unknown") {
      send(reply, refuseUnknownSession(first?.kind === "request" ? first.id : null));
      return;
    }
    const sender: Sender = { agent, fields, session, callIds };
    if (isBatch && !this.#takesBatches(sender, messages)) {
      send(reply, refuseMessage("a batch is not part of this revision"));
      return;
    }
    const requests = messages.filter((message) => message.kind === "request");
    const replies = isBatch ? splitReply(reply, requests.length) : [reply];
    requests.forEach((request, index) => this.#ask({ sender, request, reply: replies[index] ?? reply }));
    const ownReply = requests.length === 0 && !isBatch ? reply : undefined;
    for (const message of messages) {
      if (message.kind === "notification") {
        this.#notify(sender, message, ownReply);
      } else if (message.kind === "response") {
        passClientAnswer(this.#context.asks, sender, message);
        ownReply?.finishEmpty(202);
      }
    }
    if (requests.length === 0 && isBatch) {
      reply.finishEmpty(202);
    }
  }

  /** GET: a stream that belongs to no request. */
  openStream({ agent, fields, reply }: Visit): void {
    const session = this.#findSession(agent, fields);
    if (session === "unknown") {
      send(reply, refuseUnknownSession(null));
    } else if (!parseAccept(fields).stream) {
      send(reply, refuseHttp(406, "Not Acceptable: text/event-stream is what there is"));
    } else {
      this.#context.forwarding.openStream({ agent, fields, session }, reply);
    }
  }

  /** DELETE. */
  async endSession({ agent, fields, reply }: Visit): Promise<void> {
    const session = this.#findSession(agent, fields);
    if (session === undefined) {
      send(reply, refuseMissingSession(null));
    } else if (session === "unknown") {
      send(reply, refuseUnknownSession(null));
    } else {
      session.cancelAll();
      this.#context.asks.waiting.abandon((ask) => ask.session === session, "cancelled");
      const status = await this.#endSession(session);
      if (status < 400) {
        this.#context.sessions.forget(session.id);
      }
      reply.finishEmpty(status);
    }
  }

  /** The session has read more than `before`: who sees less by it is told. */
  tellLess(before: Usage["labels"]): void {
    this.#announceDifference(this.#listVisible(before), this.listVisible());
  }

  /** What agents see at this moment, of what the server listed. */
  listVisible(): VisibleLists {
    return this.#listVisible(this.#context.usage.labels);
  }

  /** The policy is another one: where others are visible than `before`, agents are told. */
  tellChanged(before: VisibleLists): void {
    // What was seen was compared with another lock, and only what that one held was kept.
    this.#context.sessions.forgetAllSightings();
    this.#announceDifference(before, this.listVisible());
  }

  #listVisible(labels: Usage["labels"]): VisibleLists {
    const { catalogs, visibility } = this.#context;
    return new Map(
      LISTINGS.map((listing) => {
        const { kind, list } = listing;
        const visible = [...catalogs[list].known].filter(
          ([name, { digest }]) => visibility.show({ kind, name, digest }, labels).visible,
        );
        return [listing, new Set(visible.map(([name]) => name))];
      }),
    );
  }

  #announceDifference(before: VisibleLists, after: VisibleLists): void {
    const changed = LISTINGS.filter(
      (listing) =>
        (after.get(listing) ?? NOTHING).symmetricDifference(before.get(listing) ?? NOTHING).size > 0,
    );
    if (changed.length > 0) {
      noteCatalogs(this.#context, (listing) => changed.includes(listing));
      this.#context.forwarding.announceChanged(new Set(changed.map(({ kind }) => kind)));
    }
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    await this.#context.forwarding.close(graceMs);
  }

  #ask(asked: Asked): void {
    const { sender, request, reply } = asked;
    const passage = PASSAGES.get(request.method);
    const era = eraOf(request);
    const state = this.#context.sessionState();
    if (passage === undefined || !this.#exists(passage, era)) {
      this.#recordUnknown(sender, request);
      send(reply, refuseMethod(request.id, era));
    } else if (sender.session?.hasInFlight(request.id) === true) {
      send(reply, refuseMessage("a request with this id is in flight"));
    } else if (!state.active && !NAMED_METHODS.has(request.method)) {
      send(reply, refuseEndedSessionRequest(request.id, state.reason));
    } else {
      passage.pass(this.#context, asked);
    }
  }

  #exists({ kinds, ask, era }: Passage, asked: Era): boolean {
    const { policy, server } = this.#context;
    const isReached = kinds === undefined || kinds.some((kind) => policy.reaches(server, kind));
    const isGranted = ask === undefined || isAskGranted(this.#context, ask);
    return isReached && isGranted && (era === undefined || era === asked);
  }

  /** Nothing is forwarded, so nothing depends on the record. */
  #recordUnknown(sender: Sender, request: ClientRequest): void {
    const { recording, server } = this.#context;
    const { _meta, ...params } = request.params ?? {};
    const facts = {
      ...{ agent: sender.agent, server, method: request.method },
      client: findClient(this.#context, sender, request),
      args: params,
      traceparent: findTraceparent(request),
    };
    try {
      recording.recordCall(facts, { decision: "deny", reason: "method_not_granted" });
    } catch (error) {
      if (!isRecordingFailure(error)) {
        throw error;
      }
    }
  }

  /** What does not pass is taken and goes nowhere: a notification has no answer. */
  #notify(sender: Sender, notification: ClientNotification, reply: Reply | undefined): void {
    const { session } = sender;
    const { method, params } = notification;
    if (method === "notifications/cancelled") {
      // Without a session an id is anybody's: there, a request ends with its connection.
      const { requestId, reason } = params ?? {};
      if (isRequestId(requestId)) {
        session?.held.delete(requestId);
        session?.exchanges.find(requestId)?.cancel(typeof reason === "string" ? reason : undefined);
      }
      reply?.finishEmpty(202);
    } else if (
      passesFromClient(method) ||
      (method === ROOTS_CHANGED && isAskGranted(this.#context, "roots"))
    ) {
      this.#context.forwarding.notify(sender, notification, reply);
    } else {
      reply?.finishEmpty(202);
    }
  }

  #findSession(agent: string, fields: Fields): Session | "unknown" | undefined {
    const id = fields.get("mcp-session-id");
    const { sessions, limits } = this.#context;
    const isFull = sessions.size >= limits.maxSessions;
    return id === undefined ? undefined : (sessions.find(id, agent, isFull) ?? "unknown");
  }

  /** Only what was agreed on counts; a handshake cannot be part of a batch. */
  #takesBatches(sender: Sender, messages: readonly ClientMessage[]): boolean {
    const { session, agent } = sender;
    const agreed =
      session === undefined ? this.#context.sessions.lastAttachment(agent)?.revision : session.revision;
    const said = revisionOf(sender) ?? BATCH_REVISION;
    const hasHandshake = messages.some(
      (message) => message.kind === "request" && message.method === "initialize",
    );
    return agreed === BATCH_REVISION && said === BATCH_REVISION && !hasHandshake;
  }

  #endIdle(): void {
    const { sessions, limits } = this.#context;
    for (const session of sessions.listExpired(limits.sessionIdleMs)) {
      sessions.forget(session.id);
      if (!sessions.areShared) {
        void this.#endSession(session);
      }
    }
  }
}
