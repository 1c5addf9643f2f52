/** A client's side of an MCP session over one raw connection: the handshake, and requests that carry what it gave. */
import type { Endpoint } from "../program-contract.ts";
import type { RawAnswer, RawConnection } from "./raw-connection.ts";

const PROTOCOL = "2025-11-25";

/** Turns a JSON-RPC message into a whole HTTP request of the session. */
export type WriteRequest = (message: string) => string;

export interface McpSession {
  readonly write: WriteRequest;
  /** What every request of it says besides its method. */
  readonly fields: Readonly<Record<string, string>>;
  /** Tells the server, where it gave out an id. */
  end(connection: RawConnection): Promise<void>;
}

/** `initialize` and `notifications/initialized`. Throws with the answer when one of them is refused. */
export async function openSession(connection: RawConnection, endpoint: Endpoint): Promise<McpSession> {
  const params = {
    protocolVersion: PROTOCOL,
    capabilities: {},
    clientInfo: { name: "bench", version: "1.0.0" },
  };
  const hello = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
  const answer = await connection.exchange(requestWriter(endpoint)(hello));
  if (answer.status !== 200) throw new Error(`initialize was answered with ${describeAnswer(answer)}`);
  const session = /\r\nmcp-session-id: *(\S+)/i.exec(answer.head)?.[1];
  const own = {
    url: endpoint.url,
    headers: {
      ...endpoint.headers,
      "mcp-protocol-version": PROTOCOL,
      ...(session === undefined ? {} : { "mcp-session-id": session }),
    },
  };
  const write = requestWriter(own);
  const ready = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });
  const accepted = await connection.exchange(write(ready));
  if (accepted.status !== 202) {
    throw new Error(`notifications/initialized was answered with ${describeAnswer(accepted)}`);
  }
  const end = async (last: RawConnection): Promise<void> => {
    if (session === undefined) return;
    const ended = await last.exchange(requestWriter(own, "DELETE")(""));
    if (ended.status >= 400) throw new Error(`DELETE was answered with ${describeAnswer(ended)}`);
  };
  return { write, fields: own.headers, end };
}

export function describeAnswer({ status, body }: RawAnswer): string {
  return `${status} ${body.toString("utf8", 0, 300)}`;
}

/** Everything but the length and the body is the same for all requests of a session: it is written once. */
function requestWriter({ url, headers }: Endpoint, method = "POST"): WriteRequest {
  const { host, pathname } = new URL(url);
  const all = {
    host,
    ...headers,
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${pathname} HTTP/1.1\r\n${lines.join("")}content-length: `;
  return (body) => `${head}${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
