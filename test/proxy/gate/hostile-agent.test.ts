/** What a hostile agent tries beside its calls: to see what is hidden, to act after the end, to leave half a secret. */
import { once } from "node:events";
import { request as requestHttp } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  answerJson,
  openEvents,
  type ScriptedServer,
  startScriptedServer,
} from "../../support/mcp-scripted-http-server.ts";
import { call, INITIALIZE, type Rig, SECRET, send, shakeHands, startRig, stateless, TOKEN } from "../rig.ts";

const HIDDEN = { tools: [{ name: "echo" }, { name: "hidden" }] };

let server: ScriptedServer;
let rig: Rig;
let url: string;

/** A server that can be asked again for any stream of its own, under the ids that it was asked with. */
beforeEach(async () => {
  let listId: unknown;
  server = await startScriptedServer(({ method, headers, message }, response) => {
    const listed = (): string =>
      `id: list-2\ndata: ${JSON.stringify({ jsonrpc: "2.0", id: listId, result: HIDDEN })}\n\n`;
    if (method === "GET") {
      const events = openEvents(response);
      events.end(headers["last-event-id"] === "list-1" ? listed() : "");
    } else if (message.id === undefined) {
      response.writeHead(202).end();
    } else if (message.method === "initialize") {
      response.setHeader("mcp-session-id", "s");
      const result = { protocolVersion: "2025-11-25", capabilities: {} };
      answerJson(response, { jsonrpc: "2.0", id: message.id, result });
    } else if (message.method === "tools/list") {
      listId = message.id;
      openEvents(response).end(`id: list-1\ndata: \n\n${listed()}`);
    } else if (message.params?.arguments?.slow === true) {
      openEvents(response).write("id: call-1\ndata: \n\n");
    } else {
      answerJson(response, { jsonrpc: "2.0", id: message.id, result: { content: [] } });
    }
  });
  rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [{ server: "one", tools: ["echo"] }],
  });
  url = `${rig.url}/mcp/one`;
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

it("has a list replayed as the answer to a call of the same id: what is hidden stays hidden", async () => {
  const fields = await shakeHands(url);
  const listed = await send(url, { headers: fields, body: { jsonrpc: "2.0", id: 5, method: "tools/list" } });
  expect(listed.events[0]).toEqual({ jsonrpc: "2.0", id: 5, result: { tools: [{ name: "echo" }] } });
  const left = requestHttp(url, {
    method: "POST",
    headers: { ...fields, "content-type": "application/json", accept: "text/event-stream" },
  });
  left.on("error", () => undefined);
  left.end(JSON.stringify(call(5, "echo", { slow: true })));
  const [answer] = await once(left, "response");
  await once(answer, "data");
  left.destroy();
  const resume = { ...fields, accept: "text/event-stream", "last-event-id": "list-1" };
  const replayed = await send(url, { method: "GET", headers: resume });
  expect(replayed.text).not.toContain("hidden");
});

it("answers a question that nobody asked: the server does not hear it", async () => {
  const { headers, body }: ReturnType<typeof JSON.parse> = stateless(call(1, "echo"));
  body.params.inputResponses = { confirm: { action: "accept" } };
  body.params.requestState = "kept";
  await send(url, { headers, body });
  const params = server.received.at(-1)?.message.params;
  expect(params).not.toHaveProperty("inputResponses");
  expect(params.requestState).toBe("kept");
});

it("takes a list that the log could not take: it is not shown before the log has it", async () => {
  const list = { body: { jsonrpc: "2.0", id: 1, method: "tools/list" } };
  rig.recorder.fails = ({ kind }) => kind === "catalog";
  expect((await send(url, list)).text).not.toContain('"tools"');
  expect((await send(url, list)).text).not.toContain('"tools"');
  rig.recorder.fails = () => false;
  expect((await send(url, list)).text).toContain('"tools"');
  expect(rig.recorder.of("catalog")).toHaveLength(1);
});

it("cuts a secret in two at the length where texts are cut: neither half is on the log", async () => {
  const before = (length: number): string => "x".repeat(length - SECRET.length + 1) + SECRET;
  for (const [name, revision] of [
    [before(200), "2025-11-25"],
    ["x", before(1_000)],
  ]) {
    const clientInfo = { name, version: "1" };
    const params = { ...INITIALIZE.params, protocolVersion: revision, clientInfo };
    await send(url, { body: { ...INITIALIZE, params } });
  }
  expect(rig.recorder.events("client_attached")).toHaveLength(2);
  expect(JSON.stringify(rig.recorder.records)).not.toContain(SECRET.slice(0, -1));
});

it("begins a call before the end and finishes sending it after: it is not forwarded", async () => {
  const { port } = new URL(rig.url);
  const body = JSON.stringify(call(1, "echo"));
  const socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  const head = [
    "POST /mcp/one HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${TOKEN}`,
    "Content-Type: application/json",
    "Expect: 100-continue",
    `Content-Length: ${body.length}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body.slice(0, 5)}`);
  const [interim] = await once(socket, "data");
  expect(String(interim)).toContain("100 Continue");
  await rig.close();
  socket.write(body.slice(5));
  const [answer] = await once(socket, "data");
  expect(String(answer)).toContain("503 Service Unavailable");
  expect(server.received.filter(({ message }) => message.method === "tools/call")).toEqual([]);
  expect(rig.recorder.of("call")).toEqual([]);
});

it("sends the handshake of one era as a request of the other: it is not forwarded", async () => {
  const got = await send(url, stateless({ ...INITIALIZE, id: 1 }));
  expect(got.status).toBe(404);
  expect(server.received).toEqual([]);
});

it("cancels by an id without a session, which could be anybody's: it is not forwarded", async () => {
  const notice = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
  expect((await send(url, { body: notice })).status).toBe(202);
  expect(server.received).toEqual([]);
});
