/**
 * An HTTP server that answers as a test says, for what no well-behaved MCP server does.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** As it came over the wire. */
  readonly text: string;
  readonly message: ReturnType<typeof JSON.parse>;
}

export interface ScriptedServer {
  readonly url: string;
  readonly received: readonly Received[];
  close(): Promise<void>;
}

export async function startScriptedServer(
  answer: (received: Received, response: ServerResponse) => void,
): Promise<ScriptedServer> {
  const received: Received[] = [];
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const one: Received = {
        method: request.method ?? "",
        headers: request.headers,
        text,
        message: text === "" ? undefined : JSON.parse(text),
      };
      received.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    received,
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A JSON document as an answer. */
export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** An event stream; the test writes its events. */
export function openEvents(response: ServerResponse, headers: Record<string, string> = {}): ServerResponse {
  response.writeHead(200, { "content-type": "text/event-stream", ...headers });
  response.flushHeaders();
  return response;
}

export function writeMessage(response: ServerResponse, message: unknown): void {
  response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}
