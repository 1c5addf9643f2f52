/** A server on the loopback interface that answers with web-standard requests and responses, as the SDK's parts do. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface WebListener {
  /** Without a path. */
  readonly url: string;
  /** Header fields of every request, in order. */
  readonly requests: readonly NodeJS.Dict<string | string[]>[];
  close(): Promise<void>;
}

/** A request that breaks off is seen by its `signal`. */
export async function listenWeb(answer: (request: Request) => Promise<Response>): Promise<WebListener> {
  const requests: NodeJS.Dict<string | string[]>[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const serve = async (): Promise<void> => {
      const answered = await answer(await readRequest(request, gone.signal));
      response.writeHead(answered.status, Object.fromEntries(answered.headers));
      response.flushHeaders();
      for await (const chunk of answered.body ?? []) {
        response.write(chunk);
      }
      response.end();
    };
    serve().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readRequest(request: IncomingMessage, signal: AbortSignal): Promise<Request> {
  const body = request.method === "POST" ? Buffer.concat(await Array.fromAsync(request)) : undefined;
  return new Request(`http://${request.headers.host}${request.url}`, {
    method: request.method ?? "GET",
    headers: Object.entries(request.headersDistinct).flatMap(([name, values]) =>
      (values ?? []).map((value): [string, string] => [name, value]),
    ),
    signal,
    ...(body !== undefined && { body: new Uint8Array(body) }),
  });
}
