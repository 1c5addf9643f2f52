/**
 * A gateway as one writes it with the SDK: a server for the agents, a client for the upstream server, and whatever the
 * one is asked, the other asks. It decides nothing and records nothing.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Server, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { UpstreamChoice } from "../program-contract.ts";
import { readOptions, serveParent } from "./parent.ts";

const choice = readOptions(UpstreamChoice);
const client = new Client({ name: "sdk-gateway", version: "1.0.0" });
await client.connect(
  "program" in choice
    ? new StdioClientTransport({ command: process.execPath, args: [choice.program] })
    : new StreamableHTTPClientTransport(new URL(choice.upstream)),
);

const transports = new Map<string, WebStandardStreamableHTTPServerTransport>();

async function openTransport(): Promise<WebStandardStreamableHTTPServerTransport> {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: true,
    onsessioninitialized: (id) => {
      transports.set(id, transport);
    },
    onsessionclosed: (id) => {
      transports.delete(id);
    },
  });
  const server = new Server({ name: "sdk-gateway", version: "1.0.0" }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", (request) => client.listTools(request.params));
  server.setRequestHandler("tools/call", (request) => client.callTool(request.params));
  await server.connect(transport);
  return transport;
}

const http = createServer((incoming, outgoing) => {
  const answer = async (): Promise<void> => {
    const body = Buffer.concat(await Array.fromAsync(incoming));
    const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method ?? "GET",
      headers: new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
      ...(body.length > 0 && { body }),
    });
    const transport = transports.get(request.headers.get("mcp-session-id") ?? "") ?? (await openTransport());
    const answered = await transport.handleRequest(request);
    const text = Buffer.from(await answered.arrayBuffer());
    outgoing.writeHead(answered.status, {
      ...Object.fromEntries(answered.headers),
      "content-length": text.length,
    });
    outgoing.end(text);
  };
  answer().catch(() => outgoing.destroy());
});

http.listen(0, "127.0.0.1");
await once(http, "listening");
await serveParent({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, headers: {} });
