/**
 * A running proxy with everything around it that a test looks at, and the requests that a client would send.
 */
import { request as requestHttp } from "node:http";
import { createRedactor } from "../../audit/redaction/redaction.ts";
import { compilePolicy } from "../../policies/compilation.ts";
import type { SessionGrant, SessionPolicy } from "../../policies/session-policy.ts";
import type { SessionState } from "../../proxy/gate/gate-context.ts";
import type { Limits } from "../../proxy/limits.ts";
import { type ProxyOptions, type RunningProxy, startProxy } from "../../proxy/proxy.ts";
import type { ProxyServer } from "../../proxy/upstream/connecting.ts";
import { WitnessRecorder } from "../support/mcp-witness-recorder.ts";

export const TOKEN = "lanyard-agent-token-0123456789";
export const OTHER_TOKEN = "lanyard-other-token-0123456789";
export const CONTROL_TOKEN = "lanyard-control-token-0123456789";
export const SECRET = "hunter2-canary-secret-value";

export interface Rig extends RunningProxy {
  readonly recorder: WitnessRecorder;
  readonly stderr: Map<string, string>;
  state: SessionState;
  readonly sealed: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RigOptions {
  readonly servers: Record<string, ProxyServer>;
  readonly grants?: readonly Omit<SessionGrant, "rule">[];
  readonly policy?: Partial<Pick<SessionPolicy, "mode" | "flow" | "servers">>;
  readonly limits?: Partial<Limits>;
  readonly control?: ProxyOptions["control"];
}

export async function startRig({
  servers,
  grants = [],
  policy: more,
  limits = {},
  control,
}: RigOptions): Promise<Rig> {
  const recorder = new WitnessRecorder();
  const stderr = new Map<string, string>();
  const sealed: string[] = [];
  const policy = await compilePolicy(
    {
      v: 1,
      robot: "acme/payments/triager",
      roles: ["triager"],
      mode: "enforce",
      flow: [],
      ...more,
      grants: grants.map((grant, index) => ({ rule: `triager#${index + 1}`, ...grant })),
      servers: { ...Object.fromEntries(grants.map(({ server }) => [server, {}])), ...more?.servers },
    },
    { claims: { repository: "acme/payments", repository_owner: "acme" } },
  );
  const rig: { state: SessionState } = { state: { active: true } };
  const proxy = await startProxy({
    policy,
    servers,
    agents: [
      { name: "agent", token: TOKEN },
      { name: "other", token: OTHER_TOKEN },
    ],
    recorder,
    redactor: createRedactor([{ id: "canary", kind: "bearer", value: SECRET }]),
    salt: Buffer.from("salt"),
    sessionState: () => rig.state,
    stderrOf: (server) => (chunk) => stderr.set(server, (stderr.get(server) ?? "") + chunk.toString()),
    environment: { ...process.env, LANYARD_CANARY: SECRET },
    control: control ?? {
      token: CONTROL_TOKEN,
      report: () => ({ totals: proxy.totals() }),
      seal: async (reason) => {
        sealed.push(reason);
        await proxy.close();
        return { sealed: true };
      },
    },
    limits: { stopGraceMs: 300, closeGraceMs: 300, ...limits },
  });
  return Object.assign(rig, proxy, {
    recorder,
    stderr,
    sealed,
    [Symbol.asyncDispose]: () => proxy.close(),
  });
}

/** What a peer said, as `JSON.parse` gives it: what a test expects of it is the check. */
export type Said = ReturnType<typeof JSON.parse>;

export interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string | undefined>;
  readonly body?: unknown;
}

export interface Got {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  readonly json: Said;
  /** The messages of an event stream. */
  readonly events: Said[];
}

/** One request as a client would send it; `undefined` takes a header out. Strings are sent as they are. */
export function send(url: string, { method = "POST", headers = {}, body }: Sent = {}): Promise<Got> {
  const text =
    body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const fields: Record<string, string> = {};
  const wanted = {
    authorization: `Bearer ${TOKEN}`,
    accept: "application/json, text/event-stream",
    ...(text !== undefined && { "content-type": "application/json" }),
    ...headers,
  };
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) {
      fields[name] = value;
    }
  }
  return new Promise((resolve, reject) => {
    const request = requestHttp(url, { method, headers: fields }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const received = Buffer.concat(chunks).toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: received,
          json: parse(received),
          events: received
            .split("\n")
            .filter((line) => line.startsWith("data: {"))
            .map((line) => JSON.parse(line.slice("data: ".length))),
        });
      });
    });
    request.on("error", reject);
    request.end(text);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function call(id: number | string, name: string, args: unknown = {}): object {
  return { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } };
}

export const INITIALIZE = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: {} },
    clientInfo: { name: "raw", version: "1.0.0" },
  },
};

const REVISION = "2026-07-28";

/** A request of the stateless revision with the header fields that belong to it. */
export function stateless(message: Said, headers: Record<string, string> = {}): Sent {
  const name = message.params?.name;
  return {
    headers: {
      "mcp-protocol-version": REVISION,
      "mcp-method": message.method,
      ...(typeof name === "string" && { "mcp-name": name }),
      ...headers,
    },
    body: {
      ...message,
      params: {
        ...message.params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": REVISION,
          "io.modelcontextprotocol/clientInfo": { name: "raw", version: "2.0.0" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    },
  };
}

/** A handshake; the header fields of what follows it. */
export async function shakeHands(
  url: string,
  { revision = "2025-11-25", token = TOKEN } = {},
): Promise<Record<string, string>> {
  const authorization = `Bearer ${token}`;
  const params = { ...INITIALIZE.params, protocolVersion: revision };
  const { headers, status, text } = await send(url, {
    headers: { authorization },
    body: { ...INITIALIZE, params },
  });
  const session = headers["mcp-session-id"];
  if (typeof session !== "string") {
    throw new Error(`no session: ${status} ${text}`);
  }
  const fields = { authorization, "mcp-session-id": session, "mcp-protocol-version": revision };
  await send(url, { headers: fields, body: { jsonrpc: "2.0", method: "notifications/initialized" } });
  return fields;
}
