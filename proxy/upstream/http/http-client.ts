/**
 * Requests to one server over HTTP/1.1, on connections that are kept for the next one while the server keeps them.
 * Who hears an answer hears its head once, its body piece by piece, and then one of `end` and `failed`.
 */
import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { urlToHttpOptions } from "node:url";
import type { ConnectionTerms } from "../authority.ts";
import { type HttpProxies, selectProxies } from "./http-proxies.ts";
import type { OutgoingFields } from "./http-message.ts";

export interface OutgoingRequest {
  readonly method: "POST" | "GET" | "DELETE";
  readonly fields: OutgoingFields;
  readonly body?: string;
}

export interface AnswerHead {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
}

export interface Listener {
  head(head: AnswerHead): void;
  data(bytes: Buffer): void;
  end(): void;
  /** Also before there was a head. `code` is one of Node. */
  failed(code: string): void;
}

/** Shorter than the five seconds that most servers keep an idle connection: ours ends first. */
const IDLE_SOCKET_MS = 4_000;
const SWITCHING_PROTOCOLS = 101;

export interface HttpClientOptions {
  readonly connectTimeoutMs: number;
  readonly terms?: ConnectionTerms | undefined;
  readonly httpProxies?: HttpProxies | undefined;
}

export class HttpClient {
  readonly #target: Target;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #request: typeof requestHttp;
  readonly #connectTimeoutMs: number;
  readonly #connectedBy: "connect" | "secureConnect";
  readonly #isProxied: boolean;

  constructor(url: URL, { connectTimeoutMs, terms, httpProxies = {} }: HttpClientOptions) {
    const isTls = url.protocol === "https:";
    const proxyEnv = { ...selectProxies(url, httpProxies) };
    this.#isProxied = Object.keys(proxyEnv).length > 0;
    const own = this.#isProxied ? { proxyEnv } : {};
    const options = { keepAlive: true, timeout: IDLE_SOCKET_MS, ...own, ...terms };
    this.#target = readTarget(url);
    this.#agent = isTls ? new HttpsAgent(options) : new HttpAgent(options);
    this.#request = isTls ? requestHttps : requestHttp;
    this.#connectedBy = isTls ? "secureConnect" : "connect";
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  /** For one request. */
  open(): HttpExchange {
    return new HttpExchange((outgoing) => this.#start(outgoing));
  }

  /** Whatever is under way breaks off. */
  close(): void {
    this.#agent.destroy();
  }

  #start({ method, fields, body }: OutgoingRequest): ClientRequest {
    const { address, ownFields } = this.#target;
    const headers = [...ownFields];
    for (const name in fields) {
      headers.push(name, fields[name] ?? "");
    }
    const bytes = body === undefined ? 0 : Buffer.byteLength(body);
    if (body !== undefined) {
      headers.push("content-type", "application/json", "content-length", String(bytes));
    }
    const request = this.#request({
      ...{ ...address, method, agent: this.#agent },
      // Node adds what an HTTP proxy wants to see, its password for one, to fields by name alone.
      headers: this.#isProxied ? pairUp(headers) : headers,
    });
    if (this.#isProxied) {
      // Through a proxy there is a socket once the server behind it has shown who it is.
      const connected = this.#limitConnecting(request);
      request.once("socket", (socket) =>
        socket.connecting ? socket.once(this.#connectedBy, connected) : connected(),
      );
    } else {
      request.once("socket", (socket) => {
        if (socket.connecting) {
          // Over TLS it is there once the server has shown who it is.
          socket.once(this.#connectedBy, this.#limitConnecting(request));
        }
      });
    }
    // Text rather than bytes: it then leaves with its head in one write, the faster where it is ASCII alone.
    if (body === undefined) {
      request.end();
    } else {
      request.end(body, bytes === body.length ? "latin1" : "utf8");
    }
    return request;
  }

  /** Until the result is called. */
  #limitConnecting(request: ClientRequest): () => void {
    const timer = setTimeout(() => {
      const late = new ConnectTimeout();
      request.destroy(late);
      // Without a socket, as long as a proxy makes none, Node says nothing of it.
      if (request.socket === null) {
        request.emit("error", late);
      }
    }, this.#connectTimeoutMs);
    const connected = (): void => clearTimeout(timer);
    request.once("close", connected);
    return connected;
  }
}

function pairUp(headers: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? ""]] : [])),
  );
}

/** One request and its answer. */
export class HttpExchange {
  readonly #start: (outgoing: OutgoingRequest) => ClientRequest;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #listener: Listener | undefined;
  #pauses = 0;

  constructor(start: (outgoing: OutgoingRequest) => ClientRequest) {
    this.#start = start;
  }

  request(outgoing: OutgoingRequest, listener: Listener): void {
    this.#listener = listener;
    this.#request = this.#start(outgoing);
    this.#request.once("response", (response) => this.#receive(response));
    this.#request.on("error", (error: NodeJS.ErrnoException) => this.#fail(error.code ?? "error"));
  }

  /** Ends the connection, unless the answer has ended already. The listener hears nothing more. */
  leave(): void {
    if (this.#listener !== undefined) {
      this.#listener = undefined;
      this.#request?.destroy();
    }
  }

  /** Until `resume` was called as often. */
  pause(): void {
    this.#pauses++;
    this.#response?.pause();
  }

  resume(): void {
    this.#pauses--;
    if (this.#pauses === 0) {
      this.#response?.resume();
    }
  }

  #receive(response: IncomingMessage): void {
    if (response.statusCode === SWITCHING_PROTOCOLS) {
      // What comes next is not HTTP, and nobody asked for it.
      this.#request?.destroy();
      this.#fail("ECONNRESET");
      return;
    }
    this.#response = response;
    this.#listener?.head({ status: response.statusCode ?? 0, fields: response.headers });
    response.on("data", (bytes: Buffer) => this.#listener?.data(bytes));
    response.once("end", () => this.#end(response.complete));
    response.on("error", (error: NodeJS.ErrnoException) => this.#fail(error.code ?? "error"));
    response.once("close", () => this.#fail("ECONNRESET"));
  }

  #end(isWhole: boolean): void {
    const listener = this.#listener;
    if (isWhole && listener !== undefined) {
      this.#listener = undefined;
      listener.end();
    }
  }

  #fail(code: string): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.failed(code);
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
