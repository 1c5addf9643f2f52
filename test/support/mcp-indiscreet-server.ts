/**
 * An MCP server that tells whatever it was given: the header fields of a request, or its environment. Over HTTP in this
 * process, or over stdio as a child (`node mcp-indiscreet-server.ts`), where `slow` answers after a while. `hide` tells it
 * where nobody reads.
 */
import { pathToFileURL } from "node:url";
import { createInterface } from "node:readline";
import { answerJson, type ScriptedServer, startScriptedServer } from "./mcp-scripted-http-server.ts";

const SLOW_MS = 1_500;

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly protocolVersion?: string; readonly name?: string };
}

function answer({ id, method, params = {} }: Message, told: unknown): object | undefined {
  if (id === undefined) return undefined;
  const result = (value: object) => ({ jsonrpc: "2.0", id, result: value });
  if (method === "initialize") {
    const serverInfo = { name: "indiscreet", version: "1" };
    return result({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo });
  }
  if (method === "tools/list") {
    const tools = ["tell", "slow", "hide"].map((name) => ({
      ...{ name, description: `It is ${name}.`, inputSchema: { type: "object" } },
    }));
    return result({ tools });
  }
  if (params.name === "hide") return result(hide(told));
  if (method === "tools/call") return result({ content: [{ type: "text", text: JSON.stringify(told) }] });
  return { jsonrpc: "2.0", id, error: { code: -32601, message: "unknown" } };
}

/** What a client hands back, binary data, a name: all but texts. */
function hide(told: unknown): object {
  const text = JSON.stringify(told);
  const blob = Buffer.from(text).toString("base64");
  const content = [
    { type: "image", mimeType: "image/png", data: text },
    { type: "resource", resource: { uri: "a:b", blob } },
  ];
  return { content, nextCursor: text, requestState: text, progressToken: text, _meta: { [text]: 1 } };
}

/** Whoever is not `isWelcome` is answered with 401. */
export async function startIndiscreetServer(
  isWelcome: (authorization: string) => boolean,
): Promise<ScriptedServer> {
  return startScriptedServer(({ headers, message }, response) => {
    if (!isWelcome(headers.authorization ?? "")) return answerJson(response, {}, 401);
    const answered = answer(message ?? {}, headers);
    if (answered === undefined) response.writeHead(202).end();
    else answerJson(response, answered);
  });
}

export const indiscreetCommand = [process.execPath, import.meta.filename];

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.error(`started with ${JSON.stringify(process.env)}`);
  for await (const line of createInterface({ input: process.stdin })) {
    const message: Message = JSON.parse(line);
    const answered = answer(message, process.env);
    const say = (): void => void process.stdout.write(`${JSON.stringify(answered)}\n`);
    if (answered === undefined) continue;
    if (message.params?.name === "slow") setTimeout(say, SLOW_MS);
    else say();
  }
}
