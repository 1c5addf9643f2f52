/**
 * A server with resources, templates and prompts that a test can change while it runs, in both eras: it answers for
 * everything that it is asked for, and keeps the streams that are opened.
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

export interface Things {
  tools?: Said[];
  resources?: Said[];
  resourceTemplates?: Said[];
  prompts?: Said[];
}

export interface ThingServer extends ScriptedServer {
  readonly things: Required<Things>;
  capabilities: Said;
  /** What a prompt holds in place of text. */
  embedded: Said;
  /** What a subscription is told to hear of; all that it wants where it is undefined. */
  honours: Said;
  /** Entries a page. */
  pageSize: number;
  /** Streams that belong to no call: GET, and `subscriptions/listen`. */
  readonly streams: ServerResponse[];
  sent(method: string): Received[];
  /** Says it on every stream. */
  say(method: string, params?: object): void;
}

const MEMBERS: Readonly<Record<string, keyof Things>> = {
  "tools/list": "tools",
  "resources/list": "resources",
  "resources/templates/list": "resourceTemplates",
  "prompts/list": "prompts",
};
const NOT_FOUND = { code: -32002, message: "no such resource here" };

export async function startThingServer(things: Things = {}): Promise<ThingServer> {
  const streams: ServerResponse[] = [];
  const own = { tools: [], resources: [], resourceTemplates: [], prompts: [], ...things };
  const answer = ({ method, message, headers }: Received, response: ServerResponse): void => {
    if (method === "GET") {
      streams.push(openEvents(response));
      return;
    }
    if (message?.id === undefined) {
      response.writeHead(method === "DELETE" ? 200 : 202).end();
      return;
    }
    const { id, params } = message;
    const say = (result: Said): void => answerJson(response, { jsonrpc: "2.0", id, result });
    const member = MEMBERS[message.method];
    if (member !== undefined) {
      const from = Number(params?.cursor?.split("#")[1] ?? 0);
      const next = from + server.pageSize;
      const entries = own[member];
      // A cursor as servers write them: it names what comes next.
      const { uri, uriTemplate, name } = entries[next] ?? {};
      const nextCursor = `${uri ?? uriTemplate ?? name}#${next}`;
      say({ [member]: entries.slice(from, next), ...(next < entries.length && { nextCursor }) });
      return;
    }
    switch (message.method) {
      case "initialize":
        response.setHeader("mcp-session-id", `session-${server.received.length}`);
        say({
          protocolVersion: headers["mcp-protocol-version"] ?? "2025-11-25",
          capabilities: server.capabilities,
          serverInfo: { name: "things", version: "1" },
        });
        break;
      case "server/discover":
        say({ supportedVersions: ["2026-07-28"], capabilities: server.capabilities });
        break;
      case "resources/read":
        if (own.resources.some(({ uri }: Said) => uri === params.uri)) {
          say({ contents: [{ uri: params.uri, text: `it is ${params.uri}` }] });
        } else {
          answerJson(response, { jsonrpc: "2.0", id, error: NOT_FOUND });
        }
        break;
      case "prompts/get":
        say({
          messages: [
            { role: "user", content: server.embedded ?? { type: "text", text: `be ${params.name}` } },
          ],
        });
        break;
      case "completion/complete":
        say({ completion: { values: ["one", "two"] } });
        break;
      case "subscriptions/listen": {
        const stream = openEvents(response);
        const notifications = server.honours ?? params.notifications;
        const said = { _meta: { "io.modelcontextprotocol/subscriptionId": id }, notifications };
        writeMessage(stream, {
          jsonrpc: "2.0",
          method: "notifications/subscriptions/acknowledged",
          params: said,
        });
        streams.push(stream);
        break;
      }
      default:
        say({});
    }
  };
  const scripted = await startScriptedServer(answer);
  const server: ThingServer = {
    ...scripted,
    things: own,
    capabilities: {
      tools: {},
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      completions: {},
      logging: {},
    },
    embedded: undefined,
    honours: undefined,
    pageSize: 100,
    streams,
    sent: (method) => scripted.received.filter(({ message }) => message?.method === method),
    say: (method, params) =>
      streams.forEach((stream) =>
        writeMessage(stream, { jsonrpc: "2.0", method, ...(params && { params }) }),
      ),
  };
  return server;
}
