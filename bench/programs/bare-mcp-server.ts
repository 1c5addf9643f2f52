/**
 * An MCP server that does as little as one can: it answers over HTTP with `application/json`, so that what is
 * measured is what stands in front of it.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerMessage } from "./bare-answers.ts";
import { serveParent } from "./parent.ts";

const server = createServer((request, response) => {
  if (request.method !== "POST") {
    response.writeHead(405).end();
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => answer(JSON.parse(Buffer.concat(chunks).toString()), response));
});

function answer(body: unknown, response: ServerResponse): void {
  const answered = answerMessage(body);
  if (answered === undefined) {
    response.writeHead(202).end();
    return;
  }
  response.writeHead(answered.isKnown ? 200 : 404, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(answered.text),
  });
  response.end(answered.text);
}

server.listen(0, "127.0.0.1");
await once(server, "listening");
await serveParent({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, headers: {} });
