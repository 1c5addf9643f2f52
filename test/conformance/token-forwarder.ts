/**
 * A reverse proxy that adds an agent's token to every request and changes nothing else: for clients that cannot send
 * a header field of their own. Who names the forwarder itself (`Host`, `Origin`) names what is behind it; any other
 * name goes on as it is. What was asked and what was answered is kept.
 */
import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Forwarded {
  readonly method: string;
  readonly asked: string;
  readonly answered: string;
}

export interface Forwarder {
  /** With the path of the target. */
  readonly url: string;
  /** Those that have ended. */
  readonly exchanges: readonly Forwarded[];
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startForwarder(target: string, token: string): Promise<Forwarder> {
  const { hostname, port, pathname, host } = new URL(target);
  const exchanges: Forwarded[] = [];
  let ownHost = "";
  const forward = (request: IncomingMessage, response: ServerResponse): void => {
    const headers = [
      ...request.rawHeaders.map((text, index) => (index % 2 === 0 ? text : text.replace(ownHost, host))),
      ...["authorization", `Bearer ${token}`],
    ];
    const asked: Buffer[] = [];
    const answered: Buffer[] = [];
    const onward = requestHttp(
      { hostname, port, method: request.method, path: request.url, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        response.flushHeaders();
        answer.on("data", (chunk: Buffer) => answered.push(chunk));
        answer.on("error", () => response.destroy());
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.on("data", (chunk: Buffer) => asked.push(chunk));
    request.pipe(onward);
    response.on("error", () => undefined);
    response.on("close", () => {
      onward.destroy();
      exchanges.push({
        method: request.method ?? "",
        asked: Buffer.concat(asked).toString(),
        answered: Buffer.concat(answered).toString(),
      });
    });
  };
  const server = createServer(forward);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ownHost = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${ownHost}${pathname}`,
    exchanges,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
