/**
 * A server behind Streamable HTTP: one request to it for each of the agent's, with header fields of our own.
 * The agent's own fields, its token above all, never go there; redirects are not followed.
 */
import type { Limits } from "../../limits.ts";
import { Places } from "../../places.ts";
import {
  type Authority,
  type AuthorizedRequest,
  type ConnectionTerms,
  sendAuthorized,
} from "../authority.ts";
import { HttpAnswer } from "./http-answer.ts";
import { type AnswerHead, HttpClient, type OutgoingRequest } from "./http-client.ts";
import type { HttpProxies } from "./http-proxies.ts";
import { buildFields, buildSessionFields, writeCancellation, writeMessage } from "./http-message.ts";
import { PassedOver } from "./passed-over.ts";
import type {
  Forward,
  Sending,
  SessionPlace,
  Sink,
  StreamRequest,
  Upstream,
  UpstreamEvents,
} from "../upstream.ts";

interface Outgoing extends OutgoingRequest {
  readonly agent?: string | undefined;
  readonly calls?: readonly string[] | undefined;
}

/** What is sent without waiting for an answer: beyond it a server that asks and asks is not answered. */
const MAX_TOLD = 32;
const EITHER = "application/json, text/event-stream";
/** A name that another gate gives holds that of its server. */
const SESSION_ID = /^[\x21-\x7e]{1,2048}$/;

export interface HttpUpstreamOptions {
  readonly url: URL;
  readonly limits: Limits;
  readonly events: UpstreamEvents;
  readonly authority?: Authority | undefined;
  readonly connection?: ConnectionTerms | undefined;
  readonly httpProxies?: HttpProxies | undefined;
}

export class HttpUpstream implements Upstream {
  readonly #limits: Limits;
  readonly #events: UpstreamEvents;
  readonly #client: HttpClient;
  readonly #authority: Authority | undefined;
  readonly #told = new Places(MAX_TOLD);

  constructor({ url, limits, events, authority, connection: terms, httpProxies }: HttpUpstreamOptions) {
    this.#limits = limits;
    this.#events = events;
    this.#authority = authority;
    const { connectTimeoutMs } = limits;
    this.#client = new HttpClient(url, { connectTimeoutMs, terms, httpProxies });
  }

  send(forward: Forward, sink: Sink, opensSession: (session: string) => void): Sending {
    const { message, agent, calls } = forward;
    const opened = (head: AnswerHead): SessionPlace => {
      const session = head.fields["mcp-session-id"];
      if (message.method !== "initialize" || typeof session !== "string" || !SESSION_ID.test(session)) {
        return forward;
      }
      opensSession(session);
      return { session, revision: undefined, agent };
    };
    const sending = this.#exchange(
      { method: "POST", fields: buildFields(forward), body: writeMessage(message), agent, calls },
      sink,
      opened,
    );
    return {
      leave: () => sending.leave(),
      cancel: (reason) => {
        sending.leave();
        // With a handshake a lost connection does not cancel (2025-11-25, Streamable HTTP); without one it does.
        if (message.kind === "request" && forward.era === "handshake" && message.method !== "initialize") {
          this.#tell(forward, writeCancellation(message.id, reason));
        }
      },
    };
  }

  openStream(request: StreamRequest, sink: Sink): Sending {
    const { lastEventId, agent } = request;
    const resume = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const sending = this.#exchange(
      { method: "GET", fields: { ...buildSessionFields(request), ...resume }, agent },
      sink,
      () => request,
    );
    return { leave: () => sending.leave(), cancel: () => sending.leave() };
  }

  answer(from: SessionPlace, text: string): void {
    this.#tell(from, text);
  }

  endSession(session: string, revision: string | undefined, agent?: string): Promise<number> {
    const fields = buildSessionFields({ session, revision, accept: EITHER });
    const { promise, resolve } = Promise.withResolvers<number>();
    let status = 200;
    const sink: Sink = {
      opened: () => undefined,
      filler: () => undefined,
      message: (_, carriage) => {
        status = carriage.status ?? status;
        return undefined;
      },
      status: resolve,
      ended: () => resolve(status),
      failed: () => resolve(502),
    };
    const sending = this.#exchange({ method: "DELETE", fields, agent }, sink, () => ({
      ...{ session, revision, agent },
    }));
    // A server that does not say when it is done holds the agent no longer than with a call.
    const timer = setTimeout(() => {
      sending.leave();
      resolve(504);
    }, this.#limits.callTimeoutMs).unref();
    return promise.finally(() => clearTimeout(timer));
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** `opened` looks at the answer's head and says where requests of the server in it are to be answered. */
  #exchange(
    outgoing: Outgoing,
    sink: Sink,
    opened: (head: AnswerHead) => SessionPlace,
  ): Pick<Sending, "leave"> {
    if (this.#authority === undefined) {
      return this.#exchangeNow(outgoing, sink, opened);
    }
    return sendAuthorized(this.#authority, aboutOf(outgoing), {
      sink,
      send: (fields, to) =>
        this.#exchangeNow({ ...outgoing, fields: { ...outgoing.fields, ...fields } }, to, opened),
    });
  }

  #exchangeNow(outgoing: Outgoing, sink: Sink, opened: (head: AnswerHead) => SessionPlace): HttpAnswer {
    const exchange = this.#client.open();
    let session: SessionPlace | undefined;
    const answer = new HttpAnswer({
      ...{ exchange, sink, limits: this.#limits },
      opened: (head) => {
        session = opened(head);
      },
      refuse: (asked) => this.#events.answer(asked),
      answer: (text) => {
        if (session !== undefined) {
          this.#tell(session, text);
        }
      },
    });
    exchange.request(outgoing, answer);
    return answer;
  }

  /** Sends what needs no answer; a server has a moment to take it. */
  #tell(session: SessionPlace, body: string): void {
    if (!this.#told.take()) {
      return;
    }
    const fields = buildSessionFields({ ...session, accept: EITHER });
    const outgoing: Outgoing = { method: "POST", fields, body, agent: session.agent };
    if (this.#authority === undefined) {
      this.#tellNow(outgoing);
      return;
    }
    this.#authority.authorize(aboutOf(outgoing)).then(
      (own) => this.#tellNow({ ...outgoing, fields: { ...fields, ...own } }),
      () => this.#told.free(),
    );
  }

  #tellNow(outgoing: Outgoing): void {
    const exchange = this.#client.open();
    const over = (): void => {
      passedOver.stop();
      this.#told.free();
    };
    const listener = {
      head: () => undefined,
      data: (bytes: Buffer) => passedOver.data(bytes),
      end: over,
      failed: over,
    };
    const passedOver = new PassedOver(() => {
      exchange.leave();
      over();
    }, this.#limits.connectTimeoutMs);
    exchange.request(outgoing, listener);
  }
}

function aboutOf({ method, agent, calls = [] }: Outgoing): AuthorizedRequest {
  return { method, agent, calls };
}
