/**
 * A server over HTTP that asks: a call brings the requests that a test gives, on the call's stream, and ends when the
 * test says so. What agents answer is kept, and so are the capabilities that it was told of.
 */
import type { ServerResponse } from "node:http";
import {
  answerJson,
  openEvents,
  type Received,
  type ScriptedServer,
  startScriptedServer,
  writeMessage,
} from "../../../support/mcp-scripted-http-server.ts";
import type { Said } from "../../rig.ts";

export interface AskingServer extends ScriptedServer {
  /** What a call, or a GET, brings before anything else. */
  asks: Said[];
  /** Streams that are open, by the session. */
  readonly streams: Map<string, ServerResponse>;
  /** Answers of agents, as they came. */
  readonly answers: Received[];
  /** Ends the call of a session. */
  finish(session: string): void;
  sent(method: string): Received[];
}

export async function startAskingServer(): Promise<AskingServer> {
  const streams = new Map<string, ServerResponse>();
  const calls = new Map<string, Said>();
  const answers: Received[] = [];
  let sessions = 0;
  const scripted = await startScriptedServer((received, response) => {
    const { message, method, headers } = received;
    const session = String(headers["mcp-session-id"]);
    if (method === "DELETE") {
      response.writeHead(200).end();
    } else if (method === "GET" || message.method === "tools/call") {
      const stream = openEvents(response);
      streams.set(session, stream);
      calls.set(session, message?.id);
      own.asks.forEach((ask) => writeMessage(stream, { jsonrpc: "2.0", ...ask }));
    } else if (message.method === undefined) {
      answers.push(received);
      response.writeHead(202).end();
    } else if (message.id === undefined) {
      response.writeHead(202).end();
    } else if (message.method === "initialize") {
      sessions++;
      response.setHeader("mcp-session-id", `session-${sessions}`);
      answerJson(response, {
        ...{ jsonrpc: "2.0", id: message.id },
        result: {
          protocolVersion: message.params.protocolVersion,
          capabilities: { tools: {}, logging: {} },
          serverInfo: { name: "asking", version: "1" },
        },
      });
    } else {
      answerJson(response, { jsonrpc: "2.0", id: message.id, result: {} });
    }
  });
  const own: AskingServer = {
    ...scripted,
    ...{ asks: [], streams, answers },
    finish: (session) => {
      const stream = streams.get(session);
      if (stream !== undefined) {
        writeMessage(stream, { jsonrpc: "2.0", id: calls.get(session), result: { content: [] } });
        stream.end();
      }
    },
    sent: (method) => scripted.received.filter(({ message }) => message?.method === method),
  };
  return own;
}
