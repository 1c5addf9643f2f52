/** Asks the proxy at its own address, over HTTP, as a program of this machine would. */
import { Agent, request as requestHttp } from "node:http";
import { PROBE_FIELD } from "../front/probe.ts";

export interface Knock {
  readonly path: string;
  readonly token?: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  /** A message. */
  readonly body?: object;
}

export interface Heard {
  readonly status: number;
  readonly text: string;
}

/** For all answers, which come from this very process. */
const TIMEOUT_MS = 10_000;

export class Knocker {
  readonly #url: string;
  readonly #mark: string;
  /** One connection: the start of another costs more than what waits for it. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #timeout = AbortSignal.timeout(TIMEOUT_MS);

  constructor(url: string, mark: string) {
    this.#url = url;
    this.#mark = mark;
  }

  knock({ path, token, method = "POST", headers = {}, body }: Knock): Promise<Heard> {
    return new Promise((resolve, reject) => {
      const request = requestHttp(
        new URL(path, this.#url),
        {
          method,
          agent: this.#agent,
          signal: this.#timeout,
          headers: {
            accept: "application/json, text/event-stream",
            [PROBE_FIELD]: this.#mark,
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { "content-type": "application/json" }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
          );
        },
      );
      request.on("error", reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  leave(): void {
    this.#agent.destroy();
  }
}
