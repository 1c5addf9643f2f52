/**
 * Agents for whole runs: MCP clients of each generation that know nothing but the configuration file they were given.
 */
import { readFile } from "node:fs/promises";
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client as FirstClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as FirstTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { z } from "zod";

const Config = z.object({
  mcpServers: z.record(
    z.string(),
    z.strictObject({ type: z.literal("http"), url: z.string(), headers: z.record(z.string(), z.string()) }),
  ),
});

export interface Agent {
  listTools(): Promise<string[]>;
  /** The text of the answer; a refusal is told apart by how it begins. */
  call(tool: string, args: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

/** `first`: SDK v1. `stateless`: SDK v2, held to revision 2026-07-28. */
export type Generation = "first" | "stateless";

export async function connectAgent(
  configPath: string,
  server: string,
  generation: Generation,
): Promise<Agent> {
  const entry = await readEntry(configPath, server);
  const client = generation === "first" ? await connectFirst(entry) : await connectStateless(entry);
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (tool, args) => {
      try {
        const result: any = await client.callTool({ name: tool, arguments: args });
        const text: string = result.content.map((part: any) => part.text ?? "").join(" ");
        return result.isError === true ? `error: ${text}` : text;
      } catch (error) {
        return `protocol error: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    close: () => client.close(),
  };
}

/** What the configuration file says of one server. */
export async function readEntry(configPath: string, server: string): Promise<Entry> {
  const { mcpServers } = Config.parse(JSON.parse(await readFile(configPath, "utf8")));
  const entry = mcpServers[server];
  if (entry === undefined) throw new Error(`the configuration has no server ${server}`);
  return entry;
}

interface Entry {
  readonly url: string;
  readonly headers: Record<string, string>;
}

async function connectFirst({ url, headers }: Entry) {
  const client = new FirstClient({ name: "first-generation-agent", version: "1.0.0" });
  // The SDK's own transport does not fit its own interface under exactOptionalPropertyTypes.
  const transport: any = new FirstTransport(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  return client;
}

async function connectStateless({ url, headers }: Entry) {
  const client = new ModernClient(
    { name: "stateless-agent", version: "1.0.0" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  await client.connect(new ModernTransport(new URL(url), { requestInit: { headers } }));
  return client;
}
