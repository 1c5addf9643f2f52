/** What the proxy itself presents, sent back by its server: it reaches no agent, whatever the grant says about secrets. */
import { afterEach, describe, expect, it } from "vitest";
import { createRedactor } from "../../../audit/redaction/redaction.ts";
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
