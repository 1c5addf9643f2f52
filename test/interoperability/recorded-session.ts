/** A client of either SDK generation, connected to a server, and every answer that it got as it came over the wire. */
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResultSchema } from "@modelcontextprotocol/sdk/types.js";
import type { Said } from "../proxy/rig.ts";

export type Place =
  | { readonly url: string; readonly headers?: Record<string, string> }
  | { readonly command: readonly [string, ...string[]]; readonly env: Record<string, string> };

/** A request that a client makes: its method and parameters. */
export type Step = readonly [method: string, params?: Record<string, unknown>];

/** What came for one step: its progress and its answer, without what numbers them. */
export interface Recorded {
  readonly step: Step;
  readonly said: readonly Said[];
}

/** The two transports of the two SDKs do not fit their own interfaces under exactOptionalPropertyTypes. */
const GENERATIONS = {
  v1: () => ({
    client: new ClientV1({ name: "v1", version: "1.0.0" }) as Said,
    http: (url: string, headers: Record<string, string>): Said =>
      new HttpV1(new URL(url), { requestInit: { headers } }),
    stdio: (options: { command: string; args: string[]; env: Record<string, string> }): Said =>
      new StdioV1({ ...options, stderr: "ignore" }),
    ask: (client: Said, request: object, options: object): Promise<unknown> =>
      client.request(request, ResultSchema, options),
  }),
  v2: () => ({
    client: new ClientV2({ name: "v2", version: "2.0.0" }, { versionNegotiation: { mode: "auto" } }) as Said,
    http: (url: string, headers: Record<string, string>): Said =>
      new HttpV2(new URL(url), { requestInit: { headers } }),
    stdio: (options: { command: string; args: string[]; env: Record<string, string> }): Said =>
      new StdioV2({ ...options, stderr: "ignore" }),
    ask: (client: Said, request: object, options: object): Promise<unknown> =>
      client.request(request, options),
  }),
};
export type Generation = keyof typeof GENERATIONS;

export async function recordSession(
  generation: Generation,
  place: Place,
  steps: readonly Step[],
): Promise<Recorded[]> {
  const { client, http, stdio, ask } = GENERATIONS[generation]();
  let transport: Said;
  if ("url" in place) {
    transport = http(place.url, place.headers ?? {});
  } else {
    const [command, ...args] = place.command;
    transport = stdio({ command, args, env: place.env });
  }
  let heard: Said[] = [];
  // The client hears what is heard here as well.
  transport.onmessage = (message: Said) => heard.push(structuredClone(message));
  await client.connect(transport);
  const opening = heard.filter(({ result }) => result?.protocolVersion !== undefined);
  const recorded: Recorded[] = [{ step: ["initialize"], said: opening.map(({ result }) => ({ result })) }];
  for (const step of steps) {
    heard = [];
    const [method, params] = step;
    // What a server refuses is an answer as well.
    await ask(client, { method, ...(params && { params }) }, { onprogress: () => undefined }).catch(
      () => undefined,
    );
    recorded.push({ step, said: heard.flatMap(withoutNumbers) });
  }
  await client.close();
  return recorded;
}

function withoutNumbers({ id, result, error, method, params }: Said): Said[] {
  if (method === "notifications/progress") {
    const { progressToken: _, ...progress } = params;
    return [{ progress }];
  }
  const isAnswer = method === undefined && id !== undefined;
  return isAnswer ? [result === undefined ? { error } : { result }] : [];
}
