/**
 * Asks a server of the registry for its instructions and the definitions of its tools, as a client that offers nothing
 * and takes them as they come. What it starts it ends again; a server that does not answer in time is told. However
 * much a server sends, and however slowly, both are bounded; what it is shown is repeated in no message.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { z } from "zod";
import type { ServerEntry } from "../../../policies/documents/servers-document.ts";
import type { SentServer } from "../../../policies/lock/lock-text.ts";
import { readVersion } from "../version.ts";
import { boundFetch } from "./bounded-fetch.ts";

export interface AskedServer {
  readonly entry: ServerEntry;
  /** For a server with a url: what it wants to see. */
  readonly headers: Readonly<Record<string, string>>;
  /** For all of its answers together. */
  readonly timeoutMs: number;
}

export type Definitions =
  | { readonly ok: true; readonly sent: SentServer }
  /** One clause. */
  | { readonly ok: false; readonly reason: string };

const MAX_PAGES = 100;
/** As many as servers.yaml can say something of. */
const MAX_TOOLS = 2_000;
const longestReason = 300;

/** Loose on purpose: a member that nobody here knows is part of what a person reviews. */
const ToolPage = z.object({
  tools: z.array(z.looseObject({ name: z.string() })),
  nextCursor: z.string().optional(),
});

export async function askServer(asked: AskedServer): Promise<Definitions> {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-lock-"));
  const client = new Client(
    { name: "lanyard-policy-lock", version: readVersion() },
    { versionNegotiation: { mode: "auto" } },
  );
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`it took longer than ${asked.timeoutMs / 1000} seconds`)),
    asked.timeoutMs,
  );
  try {
    const sent = await Promise.race([readDefinitions(client, asked, directory), late.promise]);
    return { ok: true, sent };
  } catch (error) {
    return { ok: false, reason: withoutSecrets(describe(error), asked.headers).slice(0, longestReason) };
  } finally {
    clearTimeout(timer);
    await client.close().catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  }
}

/** A server can send back what it was shown. */
function withoutSecrets(text: string, headers: Readonly<Record<string, string>>): string {
  const shown = Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/)]);
  return shown
    .filter((secret) => secret.length > 3)
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text);
}

async function readDefinitions(client: Client, asked: AskedServer, directory: string): Promise<SentServer> {
  const { timeoutMs: timeout } = asked;
  await client.connect(openTransport(asked, directory), { timeout });
  const tools: SentServer["tools"][number][] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const answer = await client.request({ method: "tools/list", params }, ToolPage, { timeout });
    tools.push(...answer.tools);
    if (tools.length > MAX_TOOLS) {
      throw new Error(`it has more than ${MAX_TOOLS} tools`);
    }
    cursor = answer.nextCursor;
    if (cursor === undefined) {
      const instructions = client.getInstructions();
      return { ...(instructions !== undefined && { instructions }), tools };
    }
  }
  throw new Error(`its list of tools has more than ${MAX_PAGES} pages`);
}

function openTransport({ entry, headers }: AskedServer, directory: string) {
  if (entry.url !== undefined) {
    return new StreamableHTTPClientTransport(new URL(entry.url), {
      requestInit: { headers: { ...headers } },
      fetch: boundFetch(fetch),
    });
  }
  // As in a runner: its own directory to write to, the place where the command is called from to work in.
  const fill = (text: string): string =>
    text.replaceAll("{runner_temp}", directory).replaceAll("{workspace}", process.cwd());
  const [command = "", ...args] = (entry.command ?? []).map(fill);
  const env: Record<string, string> = {};
  for (const [name, text] of Object.entries(entry.env ?? {})) env[name] = fill(text);
  return new StdioClientTransport({ command, args, env, stderr: "ignore" });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause instanceof Error ? `${error.message}: ${describe(error.cause)}` : error.message;
}
