/**
 * A server behind Streamable HTTP: one request to it for each of the agent's, with header fields of our own.
 * The agent's own fields, its token above all, never go there; redirects are not followed.
 */
import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { urlToHttpOptions } from "node:url";
import type { Limits } from "../limits.ts";
import { Places } from "../places.ts";
import { readHttpAnswer } from "./http-answer.ts";
import {
  buildFields,
  buildSessionFields,
  type OutgoingFields,
  writeCancellation,
  writeMessage,
} from "./http-message.ts";
import type { Forward, Sending, Sink, StreamRequest, Upstream, UpstreamEvents } from "./upstream.ts";

type SessionFields = Pick<StreamRequest, "session" | "revision">;

interface Outgoing {
  readonly method?: "POST" | "GET" | "DELETE";
  readonly fields: OutgoingFields;
  readonly body?: string;
}

/** Shorter than the five seconds that most servers keep an idle connection: ours ends first. */
const IDLE_SOCKET_MS = 4_000;
/** What is sent without waiting for an answer: beyond it a server that asks and asks is not answered. */
const MAX_TOLD = 32;
const EITHER = "application/json, text/event-stream";
const SESSION_ID = /^[\x21-\x7e]{1,1024}$/;

export interface HttpUpstreamOptions {
  readonly url: URL;
  readonly limits: Limits;
  readonly events: UpstreamEvents;
}

export class HttpUpstream implements Upstream {
  readonly #target: Target;
  readonly #limits: Limits;
  readonly #events: UpstreamEvents;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #request: typeof requestHttp;
  readonly #told = new Places(MAX_TOLD);

  constructor({ url, limits, events }: HttpUpstreamOptions) {
    const isTls = url.protocol === "https:";
    this.#target = readTarget(url);
    this.#limits = limits;
    this.#events = events;
    const options = { keepAlive: true, timeout: IDLE_SOCKET_MS };
    this.#agent = isTls ? new HttpsAgent(options) : new HttpAgent(options);
    this.#request = isTls ? requestHttps : requestHttp;
  }

  send(forward: Forward, sink: Sink, opensSession: (session: string) => void): Sending {
    const { message } = forward;
    const opened = (response: IncomingMessage): SessionFields => {
      const session = response.headers["mcp-session-id"];
      if (message.method !== "initialize" || typeof session !== "string" || !SESSION_ID.test(session)) {
        return forward;
      }
      opensSession(session);
      return { session, revision: undefined };
    };
    const sending = this.#exchange(
      { fields: buildFields(forward), body: writeMessage(message) },
      sink,
      opened,
    );
    return {
      leave: sending.leave,
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
    const { lastEventId } = request;
    const resume = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const sending = this.#exchange(
      { method: "GET", fields: { ...buildSessionFields(request), ...resume } },
      sink,
      () => request,
    );
    return { ...sending, cancel: sending.leave };
  }

  endSession(session: string, revision: string | undefined): Promise<number> {
    const fields = buildSessionFields({ session, revision, accept: EITHER });
    return new Promise((resolve) => {
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
      this.#exchange({ method: "DELETE", fields }, sink, () => ({ session, revision }));
    });
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  /** `opened` looks at the answer's header and says where requests of the server in it are to be answered. */
  #exchange(
    { method, fields, body }: Outgoing,
    sink: Sink,
    opened: (response: IncomingMessage) => SessionFields,
  ): Pick<Sending, "leave"> {
    let isOver = false;
    const request = this.#start({ method: method ?? "POST", fields, ...(body !== undefined && { body }) });
    const fail = (error: NodeJS.ErrnoException): void => {
      if (!isOver) {
        isOver = true;
        sink.failed({ code: "unreachable", detail: error.code ?? "error" });
      }
    };
    request.once("error", fail);
    request.once("response", (response) => {
      if (isOver) {
        response.destroy();
        return;
      }
      const session = opened(response);
      request.off("error", fail);
      readHttpAnswer(response, {
        sink,
        limits: this.#limits,
        isOver: () => isOver,
        answer: (asked) => this.#tell(session, this.#events.answer(asked)),
      });
    });
    return {
      leave: () => {
        isOver = true;
        request.destroy();
      },
    };
  }

  /** Sends what needs no answer; a server has a moment to take it. */
  #tell(session: SessionFields, body: string): void {
    if (!this.#told.take()) {
      return;
    }
    const request = this.#start({
      method: "POST",
      fields: buildSessionFields({ ...session, accept: EITHER }),
      body,
    });
    const timer = setTimeout(() => request.destroy(), this.#limits.connectTimeoutMs).unref();
    request.once("close", () => {
      clearTimeout(timer);
      this.#told.free();
    });
    request.once("response", (response) => response.resume());
  }

  #start({ method, fields, body }: Outgoing): ClientRequest {
    const { address, ownFields } = this.#target;
    const headers = [...ownFields];
    for (const [name, value] of Object.entries(fields)) {
      headers.push(name, value);
    }
    const bytes = body === undefined ? 0 : Buffer.byteLength(body);
    if (body !== undefined) {
      headers.push("content-type", "application/json", "content-length", String(bytes));
    }
    const request = this.#request({ ...address, method, headers, agent: this.#agent });
    request.once("socket", (socket) => {
      if (socket.connecting) {
        const { connectTimeoutMs } = this.#limits;
        const timer = setTimeout(() => request.destroy(new ConnectTimeout()), connectTimeoutMs);
        const connected = (): void => clearTimeout(timer);
        socket.once("connect", connected);
        request.once("close", connected);
      }
    });
    request.on("error", () => undefined);
    // Text rather than bytes: it then leaves with its header in one write, the faster where it is ASCII alone.
    if (body === undefined) {
      request.end();
    } else {
      request.end(body, bytes === body.length ? "latin1" : "utf8");
    }
    return request;
  }
}

/** A server's URL, taken apart once. */
interface Target {
  readonly address: Pick<RequestOptions, "protocol" | "hostname" | "port" | "path">;
  /** Names and values in turn: so given they are written as they are, and `Host` has to be among them. */
  readonly ownFields: readonly string[];
}

function readTarget(url: URL): Target {
  const { protocol, hostname, port, path, auth } = urlToHttpOptions(url);
  const ownFields = ["host", url.host];
  if (typeof auth === "string") {
    ownFields.push("authorization", `Basic ${Buffer.from(auth).toString("base64")}`);
  }
  return { address: { protocol, hostname, port, path }, ownFields };
}

class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT";
}
