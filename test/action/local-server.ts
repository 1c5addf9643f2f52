/**
 * An HTTP server on loopback whose answers a test scripts; it keeps what it was asked.
 */
import { once } from "node:events";
import { type IncomingHttpHeaders, type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface LocalServer {
  readonly url: string;
  readonly asked: Asked[];
}

/** Undefined: no answer, ever. */
export type Answer = { readonly status: number; readonly body?: unknown } | undefined;

const open: { closeAllConnections(): void; close(): void }[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

export async function startLocalServer(
  answer: (asked: Asked, count: number) => Answer,
): Promise<LocalServer> {
  const asked: Asked[] = [];
  return listen(asked, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      const seen = { method, path, headers, body: Buffer.concat(chunks).toString("utf8") };
      asked.push(seen);
      const given = answer(seen, asked.length);
      if (given === undefined) return;
      response.writeHead(given.status, { "content-type": "application/json" });
      response.end(typeof given.body === "string" ? given.body : JSON.stringify(given.body ?? {}));
    });
  });
}

export async function listen(asked: Asked[], listener: RequestListener): Promise<LocalServer> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  open.push(server);
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
