/**
 * What tests of the relay stand on: an MCP server that wants a credential, brokers that present one (a stand-in for the
 * credential room, which counts what it is asked), and a caller that is no proxy but has its key.
 */
import { randomUUID } from "node:crypto";
import type { Credentials, Presented } from "../../broker/credentials/presenting.ts";
import { type Answer, type Desk, type Holder, readAnswer } from "./session-holder.ts";
import {
  answerJson,
  type Received,
  type ScriptedServer,
  startScriptedServer,
} from "./mcp-scripted-http-server.ts";
import type { ServerResponse } from "node:http";

export const CANARY = "canary-4f1d9c0be27a86";

type ScriptedAnswer = (received: Received, response: ServerResponse) => void;

export interface TokenServer extends ScriptedServer {
  /** Calls of tools that it has answered, by name. */
  readonly called: string[];
  /** From now on it takes this one alone. */
  accept(token: string): void;
  /** From now on whatever carries the right token is answered by it; undefined: as an MCP server does. */
  answerWith(write: ScriptedAnswer | undefined): void;
}

/** An MCP server with sessions that wants `Authorization: Bearer …`. */
export async function startTokenServer(): Promise<TokenServer> {
  let accepted = CANARY;
  const called: string[] = [];
  const own: { answer: ScriptedAnswer | undefined } = { answer: undefined };
  const sessions = new Set<string>();
  const server = await startScriptedServer((received, response) => {
    if (received.headers.authorization !== `Bearer ${accepted}`) {
      answerJson(response, {}, 401);
      return;
    }
    if (own.answer !== undefined) {
      own.answer(received, response);
      return;
    }
    const { id, method, params } = received.message ?? {};
    const session = received.headers["mcp-session-id"];
    const result = (value: object): void => answerJson(response, { jsonrpc: "2.0", id, result: value });
    if (method === "initialize") {
      const fresh = randomUUID();
      sessions.add(fresh);
      response.setHeader("mcp-session-id", fresh);
      response.setHeader("set-cookie", "upstream=1");
      const serverInfo = { name: "token-server", version: "1" };
      result({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo });
    } else if (typeof session !== "string" || !sessions.has(session)) {
      answerJson(response, { jsonrpc: "2.0", id, error: { code: -32001, message: "no session" } }, 404);
    } else if (method === "tools/list") {
      const tool = (name: string) => ({
        name,
        description: `It does ${name}.`,
        inputSchema: { type: "object" },
      });
      result({ tools: ["echo", "limited", "fetch", "post", "hidden"].map(tool) });
    } else if (method === "tools/call") {
      called.push(params.name);
      result({ content: [{ type: "text", text: JSON.stringify(params.arguments ?? {}) }] });
    } else {
      response.writeHead(202).end();
    }
  });
  return Object.assign(server, {
    called,
    accept: (token: string) => {
      accepted = token;
    },
    answerWith: (write: ScriptedAnswer | undefined) => {
      own.answer = write;
    },
  });
}

export interface StandIn extends Credentials {
  /** What it presents from now on. */
  token: string;
  rejected: Presented[];
  /** Once a token was rejected, this one is the next. */
  next: string | undefined;
}

export function createStandIn(): StandIn {
  const standIn: StandIn = {
    token: CANARY,
    rejected: [],
    next: undefined,
    present: async () => {
      const { token } = standIn;
      const digest = Buffer.from(token).toString("hex").padEnd(64, "0").slice(0, 64);
      const headers = { authorization: `Bearer ${token}` };
      const own = { headers, env: {}, value: token, secrets: [token] };
      return {
        ok: true,
        presented: { id: "robot-token", digest, expiresAt: Date.parse("2100-01-01"), ...own },
      };
    },
    reject: async (presented) => {
      standIn.rejected.push(presented);
      const before = standIn.token;
      standIn.token = standIn.next ?? before;
      const sentence = "A server answered 401 to the credential robot-token.";
      return standIn.token === before ? { ok: false, code: "refused", sentence } : { ok: true };
    },
  };
  return standIn;
}

export function relayFiles(url: string): Record<string, string> {
  return {
    "servers.yaml": `
servers:
  vault:
    url: "${url}"
    credential: robot-token
    tools: { fetch: { reads: [untrusted] }, post: { writes: [public] } }
credentials:
  robot-token: { kind: bearer }
`,
    "roles.yaml": `
roles:
  reader:
    grants:
      - { server: vault, tools: [echo, fetch, post] }
      - { server: vault, tools: [limited], limit: { calls: 20 } }
    flow: [{ after: [untrusted], deny: [public] }]
`,
    "robots/acme/payments.yaml": "",
  };
}

export function relayRobots(issuer: string): string {
  return `
issuer: ${issuer}
repository: acme/payments
repository_id: "456789"
repository_owner_id: "123456"
robots:
  triager:
    bindings:
      - { workflow: .github/workflows/triage.yml, events: [schedule], ref: refs/heads/main, roles: [reader] }
    session: { ttl: 15m, max: 2h, revoke_on_change: true }
`;
}

/** Requests go to `at`, if there is one; proofs name the public URL. */
export type RelayDesk = Desk & { readonly at?: string };

export interface RelayedMessage {
  readonly method?: "POST" | "GET" | "DELETE";
  readonly message?: object;
  readonly session?: string | undefined;
  readonly fields?: Record<string, string>;
  readonly server?: string;
}

/** One request as the proxy sends it. */
export async function sendRelayed(on: RelayDesk, holder: Holder, relayed: RelayedMessage): Promise<Response> {
  const { method = "POST", message, session, fields = {}, server = "vault" } = relayed;
  const url = `${on.url}/mcp/${server}`;
  const { accessToken } = holder;
  return fetch(`${on.at ?? on.url}/mcp/${server}`, {
    method,
    headers: {
      authorization: `DPoP ${accessToken}`,
      dpop: await holder.prove({ method, url, now: on.now(), accessToken }),
      accept: "application/json, text/event-stream",
      ...(message !== undefined && { "content-type": "application/json" }),
      ...(session !== undefined && { "mcp-session-id": session }),
      ...fields,
    },
    ...(message !== undefined && { body: JSON.stringify({ jsonrpc: "2.0", ...message }) }),
  });
}

/** The handshake; the name of the session. */
export async function initialize(
  on: RelayDesk,
  holder: Holder,
  fields: Record<string, string> = {},
): Promise<string> {
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  };
  const answer = await sendRelayed(on, holder, {
    ...{ fields, message: { id: 0, method: "initialize", params } },
  });
  const name = answer.headers.get("mcp-session-id");
  const text = await answer.text();
  if (name === null) throw new Error(`no session: ${answer.status} ${text}`);
  return name;
}

let ids = 1;

export interface ToolCall {
  readonly name: string;
  readonly args?: object;
  readonly callId?: string;
  readonly agent?: string;
}

export async function callTool(
  on: RelayDesk,
  holder: Holder,
  {
    name,
    args = {},
    callId = randomUUID(),
    agent = "agent",
    session,
  }: ToolCall & { readonly session: string },
): Promise<Answer> {
  const params = { name, arguments: args };
  return readAnswer(
    await sendRelayed(on, holder, {
      session,
      message: { id: ids++, method: "tools/call", params },
      fields: { "lanyard-call": callId, "lanyard-agent": agent, "mcp-protocol-version": "2025-11-25" },
    }),
  );
}
