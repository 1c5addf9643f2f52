/**
 * A reference MCP server of the second SDK generation, both eras, over HTTP in this process or over stdio as a child
 * (`node mcp-reference-server.ts [--stateless-only]`). Its tools cover what a gate has to pass: results, progress,
 * mirrored arguments, input requests, cancellation, a list that changes.
 */
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import * as z from "zod";
import { listenWeb } from "./web-listener.ts";

/** Calls that reached a tool, and how they went on: what a gate let through. */
export interface Witness {
  readonly calls: { readonly tool: string; readonly args: unknown }[];
  /** Resolves when a call of `wait` was told to stop. */
  readonly aborted: Promise<void>;
}

interface OpenWitness extends Witness {
  noteAborted(): void;
}

function openWitness(): OpenWitness {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { calls: [], aborted: promise, noteAborted: resolve };
}

/** `changes` of its tools so far. */
function buildServer(witness: OpenWitness, changes = 0): McpServer {
  const server = new McpServer(
    { name: "reference", version: "1.2.3" },
    { capabilities: { tools: { listChanged: true } }, instructions: "Use it well." },
  );
  const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });
  server.registerTool(
    "echo",
    {
      title: "Echo",
      description: `Says what it is told${"!".repeat(changes)}`,
      inputSchema: z.object({ text: z.string() }),
      annotations: { readOnlyHint: true, idempotentHint: true },
    },
    async (args) => {
      witness.calls.push({ tool: "echo", args });
      return text(args.text);
    },
  );
  server.registerTool("secret", { description: "Hidden", inputSchema: z.object({}) }, async (args) => {
    witness.calls.push({ tool: "secret", args });
    return text("s3cr3t");
  });
  server.registerTool("fail", { description: "Fails", inputSchema: z.object({}) }, async () => ({
    ...text("it failed"),
    isError: true,
  }));
  server.registerTool(
    "count",
    { description: "Reports progress", inputSchema: z.object({ to: z.number().int() }) },
    async ({ to }, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= to && progressToken !== undefined; progress++) {
        await ctx.mcpReq.notify({
          method: "notifications/progress",
          params: { progressToken, progress, total: to },
        });
      }
      return text(`counted to ${to}`);
    },
  );
  server.registerTool(
    "region",
    {
      description: "Mirrors an argument into a header field",
      inputSchema: z.object({ region: z.string().meta({ "x-mcp-header": "Region" }) }),
    },
    async ({ region }) => text(region),
  );
  server.registerTool("ask", { description: "Asks", inputSchema: z.object({}) }, async (_args, ctx) => {
    const answer = acceptedContent(ctx.mcpReq.inputResponses, "who");
    return answer === undefined
      ? inputRequired({
          inputRequests: {
            who: inputRequired.elicit({
              message: "Who?",
              requestedSchema: { type: "object", properties: { name: { type: "string" } } },
            }),
          },
        })
      : text("answered");
  });
  server.registerTool("wait", { description: "Never ends", inputSchema: z.object({}) }, async (args, ctx) => {
    witness.calls.push({ tool: "wait", args });
    await new Promise<void>((resolve) => {
      ctx.mcpReq.signal.addEventListener("abort", () => resolve());
    });
    witness.noteAborted();
    return text("stopped");
  });
  return server;
}

export interface ReferenceServer {
  readonly url: string;
  readonly witness: Witness;
  /** Header fields of every request, in order. */
  readonly requests: readonly NodeJS.Dict<string | string[]>[];
  /** And tells whoever listens. */
  changeTools(): void;
  close(): Promise<void>;
}

/** `legacy: "reject"` makes it one that knows no handshake. */
export async function startReferenceServer(
  options: { legacy?: "stateless" | "reject" } = {},
): Promise<ReferenceServer> {
  const witness = openWitness();
  let changes = 0;
  const handler = createMcpHandler(() => buildServer(witness, changes), options);
  const listener = await listenWeb((request) => handler.fetch(request));
  return {
    url: `${listener.url}/mcp`,
    witness,
    requests: listener.requests,
    changeTools: () => {
      changes++;
      handler.notify.toolsChanged();
    },
    close: async () => {
      await handler.close();
      await listener.close();
    },
  };
}

/** The command that runs it over stdio. */
export function referenceCommand(...args: string[]): [string, ...string[]] {
  return [process.execPath, import.meta.filename, ...args];
}

if (import.meta.main) {
  serveStdio(() => buildServer(openWitness()), {
    legacy: process.argv.includes("--stateless-only") ? "reject" : "serve",
  });
}
