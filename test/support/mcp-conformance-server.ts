/**
 * The reference server for the official conformance suite, both eras, over HTTP in this process or over stdio as a
 * child (`node mcp-conformance-server.ts`): everything that the suite's scenarios ask a server for, tasks aside.
 * In the era of handshakes it keeps sessions, with events that can be asked for again.
 */
import { randomBytes, randomUUID } from "node:crypto";
import {
  createMcpHandler,
  createRequestStateCodec,
  type EventStore,
  hostHeaderValidationResponse,
  isLegacyRequest,
  type JSONRPCMessage,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  type McpHttpHandler,
  McpServer,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { registerAskingTools, type State } from "./conformance/asking-tools.ts";
import { SIMPLE_PROMPT } from "./conformance/changing-text.ts";
import { registerPrompts, registerResources } from "./conformance/offers.ts";
import { type Changes, registerPlainTools } from "./conformance/plain-tools.ts";
import { listenWeb } from "./web-listener.ts";

const states = createRequestStateCodec<State>({ key: randomBytes(32) });

/** Without `changes`, its own connection is told. */
function buildServer(changes?: Changes): McpServer {
  const server = new McpServer(
    { name: "conformance", version: "1.2.3" },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: (state, ctx) => states.verify(state, ctx) },
    },
  );
  const prompt = registerPrompts(server);
  registerPlainTools(
    server,
    changes ?? {
      toolsChanged: () => server.sendToolListChanged(),
      promptsChanged: () => prompt.update({ description: SIMPLE_PROMPT.text }),
    },
  );
  registerAskingTools(server, states);
  registerResources(server);
  return server;
}

/** How soon a client that lost a stream comes back. */
const RETRY_MS = 500;

class Events implements EventStore {
  readonly #events: { readonly id: string; readonly stream: string; readonly message: JSONRPCMessage }[] = [];

  async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const id = String(this.#events.length);
    this.#events.push({ id, stream, message });
    return id;
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = Number(lastEventId);
    const stream = this.#events[last]?.stream ?? "";
    for (const { id, message } of this.#events.slice(last + 1).filter((event) => event.stream === stream)) {
      await send(id, message);
    }
    return stream;
  }
}

/** Sessions of the era of handshakes, each with a server of its own. */
class Sessions {
  readonly #transports = new Map<string, WebStandardStreamableHTTPServerTransport>();

  async answer(request: Request): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    if (id === null) {
      return this.#open(request);
    }
    const transport = this.#transports.get(id);
    return transport === undefined
      ? Response.json(
          { jsonrpc: "2.0", id: null, error: { code: -32001, message: "Session not found" } },
          { status: 404 },
        )
      : transport.handleRequest(request);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#transports.values()].map((transport) => transport.close()));
  }

  async #open(request: Request): Promise<Response> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: RETRY_MS,
      onsessioninitialized: (id) => {
        this.#transports.set(id, transport);
      },
      onsessionclosed: (id) => {
        this.#transports.delete(id);
      },
    });
    await buildServer().connect(transport);
    return transport.handleRequest(request);
  }
}

export interface ConformanceServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function startConformanceServer(): Promise<ConformanceServer> {
  const sessions = new Sessions();
  const stateless: McpHttpHandler = createMcpHandler(() => buildServer(stateless.notify), {
    legacy: "reject",
  });
  const listener = await listenWeb(async (request) => {
    const stranger =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (stranger !== undefined) {
      return stranger;
    }
    return (await isLegacyRequest(request)) ? sessions.answer(request) : stateless.fetch(request);
  });
  return {
    url: `${listener.url}/mcp`,
    close: async () => {
      await stateless.close();
      await sessions.close();
      await listener.close();
    },
  };
}

/** The command that runs it over stdio. */
export function conformanceCommand(): [string, ...string[]] {
  return [process.execPath, import.meta.filename];
}

if (import.meta.main) {
  serveStdio(() => buildServer());
}
