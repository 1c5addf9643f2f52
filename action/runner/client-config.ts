/**
 * Client configurations: what an MCP client reads to find the proxy, in the form of Claude Code and Copilot CLI.
 * A file holds one agent's token, so only this user can read it.
 */
import { join } from "node:path";
import { writePrivateFile } from "./private-files.ts";

export interface ConfiguredAgent {
  readonly name: string;
  readonly token: string;
}

/** Returns the file's path. */
export function writeClaudeConfig(
  directory: string,
  agent: ConfiguredAgent,
  proxy: { readonly url: string; readonly servers: readonly string[] },
): string {
  const path = join(directory, `mcp-config-${agent.name}.json`);
  const mcpServers = Object.fromEntries(
    proxy.servers.map((server) => [
      server,
      {
        // Without the type Claude Code drops the entry and says nothing.
        type: "http",
        url: `${proxy.url}/mcp/${server}`,
        headers: { Authorization: `Bearer ${agent.token}` },
      },
    ]),
  );
  writePrivateFile(path, `${JSON.stringify({ mcpServers }, null, 2)}\n`);
  return path;
}
