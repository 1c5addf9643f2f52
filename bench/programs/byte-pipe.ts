/**
 * A reverse proxy that only pipes bytes: the least that a process between agent and server can do in Node.
 * Connections to the upstream server are kept; headers and bodies pass as they come.
 */
import { once } from "node:events";
import { Agent, createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { Upstream } from "../program-contract.ts";
import { readOptions, serveParent } from "./parent.ts";

const upstream = new URL(readOptions(Upstream).upstream);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

const server = createServer((incoming, outgoing) => {
  const { connection: _, ...headers } = incoming.headers;
  const forwarded = send(
    {
      agent,
      host: upstream.hostname,
      port: upstream.port,
      path: upstream.pathname,
      method: incoming.method,
      headers: { ...headers, host: upstream.host },
    },
    (answer) => {
      const { connection: __, "keep-alive": ___, ...answerHeaders } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, answerHeaders);
      answer.pipe(outgoing);
    },
  );
  forwarded.on("error", () => outgoing.destroy());
  incoming.pipe(forwarded);
});

void listen();

async function listen(): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  await serveParent({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${upstream.pathname}`,
    headers: {},
  });
}
