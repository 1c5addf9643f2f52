/**
 * What the bare MCP servers answer, whatever carries it: `initialize`, `tools/list`, `tools/call` and `ping`, without
 * validating more than they need.
 */
import { z } from "zod";
import { answerText, toolResult, tools } from "./sample-tools.ts";

const Message = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z.looseObject({ protocolVersion: z.string().optional() }).optional(),
});
const CallArguments = z.looseObject({ arguments: z.looseObject({ bytes: z.int().positive() }) });

const toolList = JSON.stringify({ tools });
const results = new Map<number, string>();

/** Undefined for what has no answer. */
export function answerMessage(
  body: unknown,
): { readonly isKnown: boolean; readonly text: string } | undefined {
  const { id, method, params } = Message.parse(body);
  if (id === undefined) return undefined;
  const text = resultText(method, params);
  if (text !== undefined) return { isKnown: true, text: answerText(id, text) };
  const error = { code: -32601, message: `Method not found: ${method}` };
  return { isKnown: false, text: JSON.stringify({ jsonrpc: "2.0", id, error }) };
}

function resultText(
  method: string,
  params: { protocolVersion?: string | undefined } = {},
): string | undefined {
  switch (method) {
    case "initialize":
      return JSON.stringify({
        protocolVersion: params.protocolVersion ?? "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "bare-mcp-server", version: "1.0.0" },
      });
    case "tools/list":
      return toolList;
    case "tools/call": {
      const { bytes } = CallArguments.parse(params).arguments;
      const known = results.get(bytes) ?? JSON.stringify(toolResult(bytes));
      results.set(bytes, known);
      return known;
    }
    case "ping":
      return "{}";
    default:
      return undefined;
  }
}
