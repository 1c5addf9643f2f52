/**
 * An MCP server of the SDK that lets in whom a test welcomes, and answers everybody else with 401. It keeps the header
 * fields of every call of a tool, and counts whom it turned away.
 */
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { listenWeb } from "./web-listener.ts";

export interface DemandingServer {
  readonly url: string;
  /** Of each call that it answered. */
  readonly calls: readonly Headers[];
  readonly turnedAway: () => number;
  close(): Promise<void>;
}

export interface DemandingOptions {
  readonly isWelcome: (headers: Headers, url: string) => boolean | Promise<boolean>;
  /** Who gives out what it takes (RFC 9728); undefined: it does not say. */
  readonly issuer?: string;
}

export async function startDemandingServer({
  isWelcome,
  issuer,
}: DemandingOptions): Promise<DemandingServer> {
  const calls: Headers[] = [];
  let turnedAway = 0;
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "notes", version: "3.1.4" });
    const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });
    for (const name of ["list_notes", "read_note"]) {
      server.registerTool(name, { description: name, inputSchema: z.object({}) }, async () => text(name));
    }
    return server;
  });
  const listener = await listenWeb(async (request) => {
    const metadata = `${listener.url}/.well-known/oauth-protected-resource/mcp`;
    if (issuer !== undefined && new URL(request.url).pathname === new URL(metadata).pathname) {
      return Response.json({ resource: url, authorization_servers: [issuer], scopes_supported: ["read"] });
    }
    if (!(await isWelcome(request.headers, url))) {
      turnedAway += 1;
      const challenge = `Bearer realm="notes"${issuer === undefined ? "" : `, resource_metadata="${metadata}", scope="read"`}`;
      return new Response("who are you?", { status: 401, headers: { "www-authenticate": challenge } });
    }
    if ((await request.clone().text()).includes('"tools/call"')) calls.push(request.headers);
    return handler.fetch(request);
  });
  const url = `${listener.url}/mcp`;
  return {
    url,
    calls,
    turnedAway: () => turnedAway,
    close: async () => {
      await handler.close();
      await listener.close();
    },
  };
}

/** The token of an `Authorization: Bearer` field; "": there is none. */
export function bearerOf(headers: Headers): string {
  return /^Bearer (.+)$/.exec(headers.get("authorization") ?? "")?.[1] ?? "";
}
