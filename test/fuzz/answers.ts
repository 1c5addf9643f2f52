/**
 * What a hostile server does with one request: what it says, in which order, in which form, and how it ends. The same
 * strokes over HTTP and stdio; what a transport does not know of them is an ordinary answer there.
 */
import { PROMPT_NAMES, RESOURCE_URIS, TEMPLATE_URIS, TOOL_NAMES } from "./names.ts";

export interface Stroke {
  readonly says: readonly Saying[];
  readonly delayMs: number;
  readonly ending: "end" | "cut" | "hang" | "die";
  readonly form: Form;
  /** `Mcp-Session-Id` of the answer to a handshake; null: none. */
  readonly session: string | null;
  readonly status: number;
}

type Form = "document" | "events" | "split events" | "crlf events" | "odd events" | "html" | "half document";

export type Saying =
  | "answer"
  | "other id"
  | "text id"
  | "null id"
  | "error"
  | "mutated"
  | { readonly raw: string };

type Asked = ReturnType<typeof JSON.parse>;

/** The texts of a stroke, one message each. */
export function composeTexts({ says }: Stroke, asked: Asked, tools: readonly object[]): string[] {
  const { id, method } = asked;
  const answer = (as: unknown): string =>
    JSON.stringify({ jsonrpc: "2.0", id: as, result: resultOf(method, asked, tools) });
  return says.map((saying) => {
    switch (saying) {
      case "answer":
        return answer(id);
      case "other id":
        return answer(typeof id === "number" ? id + 1 : 1);
      case "text id":
        return answer(String(id));
      case "null id":
        return answer(null);
      case "error":
        return JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32603, message: "no" } });
      case "mutated":
        return answer(id).replace(/"(result|name|id)"/, (found) => found.toUpperCase());
      default:
        return saying.raw;
    }
  });
}

/** With a field that mirrors an argument, as the stateless revision has it. */
export function definitionOf(name: string): { name: string; inputSchema: object } {
  const amount = { type: "integer", "x-mcp-header": "Amount" };
  return {
    name,
    inputSchema: { type: "object", ...(name === "pay" && { properties: { amount } }) },
  };
}

export const TOOLS = TOOL_NAMES.map(definitionOf);

const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: {},
  completions: {},
  logging: {},
};

function resultOf(method: unknown, { params }: Asked, tools: readonly object[]): object {
  const page = params?.cursor === undefined && { nextCursor: "2 drop_table" };
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.protocolVersion ?? "2025-11-25",
        capabilities: CAPABILITIES,
        serverInfo: { name: "fuzzed", version: "1" },
      };
    case "server/discover":
      return {
        ...{ resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: CAPABILITIES },
        ...{ serverInfo: { name: "fuzzed", version: "1" }, ttlMs: 1000, cacheScope: "public" },
      };
    case "tools/list":
      return { tools, ...page };
    case "resources/list":
      return { resources: RESOURCE_URIS.map((uri) => ({ uri, name: uri })), ...page };
    case "resources/templates/list":
      return { resourceTemplates: TEMPLATE_URIS.map((uriTemplate) => ({ uriTemplate, name: uriTemplate })) };
    case "prompts/list":
      return { prompts: PROMPT_NAMES.map((name) => ({ name })), ...page };
    case "tools/call":
      return { content: [{ type: "text", text: "done" }], resultType: "complete" };
    case "resources/read":
      return { contents: [{ uri: params?.uri, text: "text" }] };
    case "prompts/get":
      return { messages: [{ role: "user", content: { type: "text", text: "do it" } }] };
    case "completion/complete":
      return { completion: { values: ["a"] } };
    default:
      return {};
  }
}
