/**
 * An MCP server that does as little as one can: it answers `initialize`, `tools/list` and `tools/call` over HTTP
 * with `application/json` and validates nothing, so that what is measured is what stands in front of it.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { serveParent } from "./parent.ts";
import { answerText, toolResult, tools } from "./sample-tools.ts";

const Message = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z.looseObject({ protocolVersion: z.string().optional() }).optional(),
});
const CallArguments = z.looseObject({ arguments: z.looseObject({ bytes: z.int().positive() }) });

const toolList = JSON.stringify({ tools });
const results = new Map<number, string>();

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
  const { id, method, params } = Message.parse(body);
  if (id === undefined) {
    response.writeHead(202).end();
    return;
  }
  const text = resultText(method, params);
  const answered =
    text === undefined
      ? JSON.stringify({
          jsonrpc: "2.0",
          id,
          error: { code: -32601, message: `Method not found: ${method}` },
        })
      : answerText(id, text);
  response.writeHead(text === undefined ? 404 : 200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(answered),
  });
  response.end(answered);
}

function resultText(
  method: string,
  params: { protocolVersion?: string | undefined } = {},
): string | undefined {
  switch (method) {
    case "initialize":
      return JSON.stringify({
        protocolVersion: params.protocolVersion ?? "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "bare-mcp-server", version: "1.0.0" },
      });
    case "tools/list":
      return toolList;
    case "tools/call": {
      const { bytes } = CallArguments.parse(params).arguments;
      const known = results.get(bytes) ?? JSON.stringify(toolResult(bytes));
      results.set(bytes, known);
      return known;
    }
    case "ping":
      return "{}";
    default:
      return undefined;
  }
}

server.listen(0, "127.0.0.1");
await once(server, "listening");
await serveParent({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, headers: {} });
