/** What fuzzing found, each by name: it must not come back. */
import { afterEach, expect, it } from "vitest";
import { send, shakeHands, startRig, stateless } from "../proxy/rig.ts";
import { answerJson, openEvents, startScriptedServer } from "../support/mcp-scripted-http-server.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const opened of open.splice(0).reverse()) {
    await opened.close();
  }
});

/** Opens sessions, and then begins answers that it never ends. */
async function startHanging() {
  const server = await startScriptedServer(({ method, message }, response) => {
    if (message?.method === "initialize") {
      response.setHeader("mcp-session-id", "s1");
      const result = {
        protocolVersion: "2025-11-25",
        capabilities: {},
        serverInfo: { name: "x", version: "1" },
      };
      answerJson(response, { jsonrpc: "2.0", id: message.id, result });
    } else if (method === "DELETE" || message?.method === "notifications/progress") {
      openEvents(response);
    } else {
      answerJson(response, { jsonrpc: "2.0", id: message?.id ?? null, result: {} });
    }
  });
  const rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [{ server: "one", tools: ["echo"] }],
    limits: { callTimeoutMs: 100 },
  });
  open.push(server, rig);
  return { server, url: `${rig.url}/mcp/one` };
}

it("a server that never ends its answer to a notification holds the agent no longer than a call", async () => {
  const { url } = await startHanging();
  const body = {
    jsonrpc: "2.0",
    method: "notifications/progress",
    params: { progressToken: 1, progress: 1 },
  };
  expect((await send(url, { body })).status).toBe(504);
});

it("nor its answer to the end of a session", async () => {
  const { url } = await startHanging();
  const fields = await shakeHands(url);
  expect((await send(url, { method: "DELETE", headers: fields })).status).toBe(504);
});

it("a stateless ping offers a server nothing of the client that no grant has", async () => {
  const { server, url } = await startHanging();
  const ping = stateless({ jsonrpc: "2.0", id: 1, method: "ping", params: {} });
  const text = JSON.stringify(ping.body).replace(
    '"io.modelcontextprotocol/clientCapabilities":{}',
    '"io.modelcontextprotocol/clientCapabilities":{"sampling":{}}',
  );
  await send(url, { ...ping, body: text });
  expect(server.received.at(-1)?.text).toContain('"method":"ping"');
  expect(server.received.at(-1)?.text).not.toContain("sampling");
});
