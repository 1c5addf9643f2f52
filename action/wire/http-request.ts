/**
 * One HTTP request over Node's own client: a time limit for the whole exchange, a bound on the answer, no redirects.
 * What reaches no answer is thrown as `HttpFailed`; every answer, whatever its status, is returned.
 */
import http, {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { type HttpProxies, selectProxies } from "../../proxy/upstream/http/http-proxies.ts";

interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For everything from the connection to the last byte of the answer. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Http = (request: HttpRequest) => Promise<HttpAnswer>;

export class HttpFailed extends Error {
  readonly code = "http_failed";
  /** Without the host, for addresses that are not shown. */
  readonly reason: string;

  constructor(host: string, reason: string, options?: ErrorOptions) {
    super(`${host}: ${reason}`, options);
    this.reason = reason;
  }
}

/** More than any answer of the broker or of GitHub has. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export function createHttp(httpProxies: HttpProxies): Http {
  const openers = new Map<string, Opener>();
  const openerFor = (url: URL): Opener => {
    const proxies = selectProxies(url, httpProxies);
    const key = `${url.protocol} ${proxies === httpProxies ? "proxied" : "direct"}`;
    const opener = openers.get(key) ?? createOpener(url.protocol, proxies);
    openers.set(key, opener);
    return opener;
  };
  return async (request) => {
    const url = new URL(request.url);
    const open = openerFor(url);
    const signal = AbortSignal.timeout(request.timeoutMs);
    try {
      return await new Promise<HttpAnswer>((resolve, reject) => {
        const outgoing = open({
          protocol: url.protocol,
          hostname: url.hostname.replace(/^\[|\]$/g, ""),
          port: url.port,
          path: `${url.pathname}${url.search}`,
          method: request.method,
          headers: request.body === undefined ? request.headers : withLength(request.headers, request.body),
          signal,
        });
        outgoing.once("error", reject);
        outgoing.once("response", (incoming) => {
          readAnswer(incoming).then(resolve, reject);
        });
        outgoing.end(request.body);
      });
    } catch (cause) {
      const reason = signal.aborted ? `no answer within ${request.timeoutMs / 1000} s` : describe(cause);
      throw new HttpFailed(url.host, reason, { cause });
    }
  };
}

type Opener = (options: RequestOptions) => ClientRequest;

/** TLS is loaded where it is used; `import()` of a module of Node's would load all that it names lazily, undici for one. */
function createOpener(protocol: string, proxyEnv: HttpProxies): Opener {
  const client = protocol === "https:" ? process.getBuiltinModule("node:https") : http;
  const agent = new client.Agent({ keepAlive: true, proxyEnv: { ...proxyEnv } });
  return (options) => client.request({ ...options, agent });
}

async function readAnswer(incoming: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) {
      incoming.destroy();
      throw new Error(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

function withLength(headers: Readonly<Record<string, string>>, body: string | Uint8Array) {
  return { ...headers, "Content-Length": String(Buffer.byteLength(body)) };
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return "the request failed";
  return "code" in cause && typeof cause.code === "string" ? `${cause.code}` : cause.message;
}
