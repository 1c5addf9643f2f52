/**
 * The bare MCP server with streams that belong to no request (GET). Asked anything, it sends one message on each that is
 * open, and says how many those are.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerMessage } from "./bare-answers.ts";
import { serveParent } from "./parent.ts";
import { STREAM_MESSAGE } from "./sample-tools.ts";

const streams = new Set<ServerResponse>();

const server = createServer((request, response) => {
  if (request.method === "GET") {
    streams.add(response);
    response.once("close", () => streams.delete(response));
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const answered =
      request.method === "POST" ? answerMessage(JSON.parse(Buffer.concat(chunks).toString())) : undefined;
    if (answered === undefined) response.writeHead(202).end();
    else response.writeHead(200, { "content-type": "application/json" }).end(answered.text);
  });
});

async function tellAll(): Promise<number> {
  for (const stream of streams) stream.write(`data: ${STREAM_MESSAGE}\n\n`);
  return streams.size;
}

server.listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
await serveParent({ url, headers: {} }, tellAll);
