/**
 * An HTTP proxy as it stands at the edge of a company's network (RFC 9110, section 9.3.6, and absolute-form requests):
 * it alone knows where names lead, wants a password, and keeps what it was asked for.
 */
import { once } from "node:events";
import { createServer, request as requestHttp } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface HttpProxy {
  /** With its password. */
  readonly url: string;
  /** `CONNECT mcp.example:443`, `GET http://mcp.example/x`, in their order; those without the password do not stand here. */
  readonly asked: string[];
  close(): void;
}

const CREDENTIALS = "runner:pa55word";

/** `routes`: the port on this machine, by the name and port that are asked for. */
export async function startHttpProxy(routes: Readonly<Record<string, number>>): Promise<HttpProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const expected = `Basic ${Buffer.from(CREDENTIALS).toString("base64")}`;
  const server = createServer((request, response) => {
    const { "proxy-authorization": given, "proxy-connection": _, ...headers } = request.headers;
    const url = URL.canParse(request.url ?? "") ? new URL(request.url ?? "") : undefined;
    const port = url && routes[`${url.hostname}:${url.port || "80"}`];
    if (given !== expected || url === undefined || port === undefined) {
      response.writeHead(given === expected ? 502 : 407).end();
      return;
    }
    asked.push(`${request.method} ${url.href}`);
    const { method } = request;
    const path = `${url.pathname}${url.search}`;
    const onward = requestHttp({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.on("connect", (request, socket: Socket) => {
    const port = routes[request.url ?? ""];
    socket.on("error", () => socket.destroy());
    if (request.headers["proxy-authorization"] !== expected || port === undefined) {
      socket.end(`HTTP/1.1 ${port === undefined ? 502 : 407} No\r\n\r\n`);
      return;
    }
    asked.push(`CONNECT ${request.url}`);
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://${CREDENTIALS}@127.0.0.1:${port}`, asked },
    close: () => {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}
