/**
 * A server whose tools a test can change while it runs, in both eras: it keeps streams open, and what was asked.
 */
import type { ServerResponse } from "node:http";
import {
  answerJson,
  openEvents,
  type Received,
  type ScriptedServer,
  startScriptedServer,
  writeMessage,
} from "../support/mcp-scripted-http-server.ts";
import type { Said } from "./rig.ts";

export interface ToolServer extends ScriptedServer {
  tools: Said[];
  instructions: string | undefined;
  /** Tools a page. */
  pageSize: number;
  /** Before an answer to this method is given. */
  hold: Map<string, Promise<unknown>>;
  /** Streams that belong to no call: GET, and `subscriptions/listen`. */
  readonly streams: ServerResponse[];
  sent(method: string): Received[];
}

export async function startToolServer(tools: Said[] = [{ name: "echo" }]): Promise<ToolServer> {
  const streams: ServerResponse[] = [];
  const answer = async ({ method, message, headers }: Received, response: ServerResponse): Promise<void> => {
    if (method === "GET") {
      streams.push(openEvents(response));
      return;
    }
    if (method === "DELETE") {
      response.writeHead(200).end();
      return;
    }
    if (message.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    await own.hold.get(message.method);
    const say = (result: Said): void => answerJson(response, { jsonrpc: "2.0", id: message.id, result });
    switch (message.method) {
      case "initialize":
        response.setHeader("mcp-session-id", `session-${own.received.length}`);
        say({
          protocolVersion: headers["mcp-protocol-version"] ?? "2025-11-25",
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: "tools", version: "1" },
          ...(own.instructions !== undefined && { instructions: own.instructions }),
        });
        break;
      case "tools/list": {
        const from = Number(message.params?.cursor ?? 0);
        const next = from + own.pageSize;
        say({
          tools: own.tools.slice(from, next),
          ...(next < own.tools.length && { nextCursor: String(next) }),
        });
        break;
      }
      case "tools/call":
        say({ content: [{ type: "text", text: `did ${message.params.name}` }] });
        break;
      case "subscriptions/listen": {
        const stream = openEvents(response);
        const meta = { _meta: { "io.modelcontextprotocol/subscriptionId": message.id } };
        const notifications = message.params.notifications;
        const params = { ...meta, notifications };
        writeMessage(stream, { jsonrpc: "2.0", method: "notifications/subscriptions/acknowledged", params });
        streams.push(stream);
        break;
      }
      default:
        say({});
    }
  };
  const scripted = await startScriptedServer((received, response) => void answer(received, response));
  const own: ToolServer = {
    ...scripted,
    tools,
    instructions: undefined,
    pageSize: 100,
    hold: new Map(),
    streams,
    sent: (method) => scripted.received.filter(({ message }) => message?.method === method),
  };
  return own;
}
