/** What the proxy itself presents, sent back by its server: it reaches no agent, whatever the grant says about secrets. */
import { afterEach, describe, expect, it } from "vitest";
import { createRedactor } from "../../../audit/redaction/redaction.ts";
import { createInspector } from "../../../proxy/inspection/inspector.ts";
import { guardReflections } from "../../../proxy/inspection/reflection-guard.ts";
import { toByteText } from "../../../proxy/messages/json-spans.ts";
import { readServerMessages } from "../../../proxy/messages/server-message.ts";
import type { Sink, Upstream } from "../../../proxy/upstream/upstream.ts";
import type { ProxyServer } from "../../../proxy/upstream/connecting.ts";
import { indiscreetCommand, startIndiscreetServer } from "../../support/mcp-indiscreet-server.ts";
import {
  answerJson,
  type ScriptedServer,
  startScriptedServer,
} from "../../support/mcp-scripted-http-server.ts";
import { call, INITIALIZE, type Rig, send, shakeHands, startRig } from "../rig.ts";

const MINTED = "minted-for-this-session-7f3a91c2";
const ENCODED = Buffer.from(MINTED).toString("base64").slice(4, -4);
const authorization = `Bearer ${MINTED}`;

let rig: Rig | undefined;
let server: ScriptedServer | undefined;
afterEach(async () => {
  await rig?.close();
  await server?.close();
});

/** The redactor of the log does not know it, and the grant passes every secret: what is replaced, the guard replaced. */
function openRig(how: ProxyServer): Promise<Rig> {
  const known = createRedactor([{ id: "desk", kind: "credential", value: MINTED }], { formats: false });
  const provenance = () => ({ id: "desk", digest: "a".repeat(64) });
  return startRig({
    servers: { one: { ...how, credential: { provenance, known } } },
    grants: [{ server: "one", tools: ["*"], inspect: { secrets: "pass", text: "pass" } }],
  });
}
const overHttp = (url: string): ProxyServer => ({
  ...{ transport: "http", url },
  authority: { authorize: async () => ({ authorization }), replace: async () => false },
});
const ownEnvironment = {
  read: () => ({ TOKEN: MINTED }),
  onChange: () => undefined,
  findLack: () => undefined,
};
const ways: readonly (readonly [string, () => Promise<ProxyServer>])[] = [
  [
    "HTTP, from its header fields",
    async () => {
      server = await startIndiscreetServer((said) => said === authorization);
      return overHttp(server.url);
    },
  ],
  [
    "stdio, from its environment",
    async () => ({ transport: "stdio", command: indiscreetCommand, env: {}, ownEnvironment, start: "lazy" }),
  ],
];

describe.each(ways)("a server over %s, reflects what was minted", (way, open) => {
  it("in texts, cursors, request states, blobs, images, progress tokens and names: it is replaced in all", async () => {
    rig = await openRig(await open());
    const url = `${rig.url}/mcp/one`;
    const headers = way.startsWith("stdio") ? await shakeHands(url) : {};
    const seen: string[] = [];
    for (const tool of ["tell", "hide"]) {
      const { text, status } = await send(url, { headers, body: call(tool, tool) });
      expect(status).toBe(200);
      seen.push(text);
    }
    const [told = "", hidden = ""] = seen;
    expect(told).toContain("[redacted:credential:desk]");
    for (const place of ["data", "blob", "nextCursor", "requestState", "progressToken"]) {
      expect(hidden).toMatch(
        new RegExp(`"${place}":"[^"\\\\]*(?:\\\\.[^"\\\\]*)*\\[redacted:credential:desk\\]`),
      );
    }
    expect(seen.join()).not.toContain(MINTED);
    expect(seen.join()).not.toContain(ENCODED);
    expect(rig.recorder.of("event").map(({ event, detail }) => ({ event, ...detail }))).toContainEqual({
      ...{ event: "secret_redacted", server: "one", kinds: ["credential"], count: 1 },
    });
  });
});

it("as the name of a session: nobody is told it, and nothing goes on under it", async () => {
  server = await startScriptedServer(({ message }, response) => {
    response.setHeader("mcp-session-id", MINTED);
    const { protocolVersion } = message.params;
    const serverInfo = { name: "reflecting", version: "1" };
    answerJson(response, {
      ...{ jsonrpc: "2.0", id: message.id, result: { protocolVersion, capabilities: {}, serverInfo } },
    });
  });
  rig = await openRig(overHttp(server.url));
  const { headers, text } = await send(`${rig.url}/mcp/one`, { body: INITIALIZE });
  expect(JSON.stringify(headers) + text).not.toContain(MINTED);
  expect(rig.recorder.of("event").some(({ event }) => event === "secret_redacted")).toBe(true);
});

it("among more than can be looked at: the call fails, the log says why, and the next call is answered", async () => {
  server = await startScriptedServer(({ message }, response) => {
    const many = message.id === 1 ? Array(320_000).fill("eyJ") : [];
    answerJson(response, {
      ...{ jsonrpc: "2.0", id: message.id, result: { content: [], structuredContent: { many, MINTED } } },
    });
  });
  rig = await openRig(overHttp(server.url));
  const { text, status } = await send(`${rig.url}/mcp/one`, { body: { ...call("list", "list"), id: 1 } });
  expect(text.length).toBeLessThan(1_000);
  expect([status, text]).toEqual([expect.any(Number), expect.stringContaining("too much to inspect")]);
  expect(rig.recorder.of("event").map(({ event, detail }) => ({ event, ...detail }))).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ event: "limit_reached", server: "one", limit: "inspection" }),
      expect.objectContaining({ event: "server_message_dropped", server: "one", reason: "too_costly" }),
    ]),
  );
  const next = await send(`${rig.url}/mcp/one`, { body: { ...call("list", "list"), id: 2 } });
  expect(next.text).toContain("[redacted:credential:desk]");
});

it("in a question that cannot be looked at whole: nobody is asked, and whoever sent the call hears that it failed", () => {
  const redactor = createRedactor([{ id: "desk", kind: "credential", value: MINTED }], { formats: false });
  let guarded: Sink | undefined;
  const upstream: Upstream = {
    send: (_forward, sink) => {
      guarded = sink;
      return { cancel: () => undefined, leave: () => undefined };
    },
    openStream: () => ({ cancel: () => undefined, leave: () => undefined }),
    endSession: async () => 200,
    close: async () => undefined,
  };
  const inspector = createInspector(redactor, { everywhere: true });
  const guard = guardReflections(upstream, { redactor, inspector, reflected: () => undefined });
  const losses: string[] = [];
  const asked: unknown[] = [];
  const ignored = (): undefined => undefined;
  const sink: Sink = {
    ...{ opened: ignored, message: ignored, filler: ignored, status: ignored, ended: ignored },
    failed: ({ code }) => losses.push(code),
    asked: (request) => void asked.push(request),
  };
  const forward = {
    message: { kind: "request", id: 1, method: "tools/call", params: {} },
    era: "handshake",
  } as const;
  guard.send(
    { ...forward, revision: undefined, session: undefined, accept: "*/*", paramFields: new Map() },
    sink,
    ignored,
  );
  const question = {
    jsonrpc: "2.0",
    id: 7,
    method: "roots/list",
    params: { many: Array(320_000).fill("eyJ"), MINTED },
  };
  const [request] = readServerMessages(toByteText(JSON.stringify(question))) ?? [];
  if (request?.kind !== "request") throw new Error("it is a request");
  void guarded?.asked?.(request, { carriage: {}, answer: ignored });
  expect([losses, asked]).toEqual([["too_costly"], []]);
});
