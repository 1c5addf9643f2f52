import { once } from "node:events";
import { request as requestHttp } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  answerJson,
  type ScriptedServer,
  startScriptedServer,
} from "../../support/mcp-scripted-http-server.ts";
import {
  call,
  CONTROL_TOKEN,
  type Got,
  OTHER_TOKEN,
  type Rig,
  send,
  startRig,
  stateless,
  TOKEN,
} from "../rig.ts";

let server: ScriptedServer;
let rig: Rig;
let url: string;
let port: number;

beforeAll(async () => {
  server = await startScriptedServer(({ message }, response) =>
    answerJson(response, { jsonrpc: "2.0", id: message.id, result: { content: [] } }),
  );
});
beforeEach(async () => {
  rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [{ server: "one", tools: ["echo"] }],
    limits: {
      headersTimeoutMs: 300,
      requestTimeoutMs: 600,
      maxRequestBytes: 64 * 1024,
      maxConcurrentRequests: 8,
    },
  });
  url = `${rig.url}/mcp/one`;
  port = Number(new URL(rig.url).port);
  return () => rig.close();
});
afterAll(() => server.close());

const reachedBefore = (): number => server.received.length;

/** Sends it, and checks that nothing of it went on to the server. */
async function sendInVain(to: string, sent: Parameters<typeof send>[1]): Promise<Got> {
  const before = reachedBefore();
  const got = await send(to, sent);
  expect(server.received.length).toBe(before);
  return got;
}

describe("the door", () => {
  it("lets in who holds the token of an agent", async () => {
    expect(await send(url, { body: call(1, "echo") })).toMatchObject({ status: 200, json: { id: 1 } });
    expect(rig.recorder.of("call")[0]).toMatchObject({ agent: "agent", decision: "allow" });
    await send(url, { body: call(1, "echo"), headers: { authorization: `bearer ${OTHER_TOKEN}` } });
    expect(rig.recorder.of("call")[1]).toMatchObject({ agent: "other" });
  });

  it.each([
    ["no token", undefined],
    ["a wrong token", "Bearer nope"],
    ["a token that is cut", `Bearer ${TOKEN.slice(0, -1)}`],
    ["a token with more behind it", `Bearer ${TOKEN}x`],
    ["the token as a password", `Basic ${Buffer.from(`agent:${TOKEN}`).toString("base64")}`],
    ["the token without a scheme", TOKEN],
    ["the control token", `Bearer ${CONTROL_TOKEN}`],
  ])("turns away %s", async (_, authorization) => {
    const got = await sendInVain(url, { body: call(1, "echo"), headers: { authorization } });
    expect(got.status).toBe(401);
    expect(got.headers["www-authenticate"]).toBe('Bearer realm="lanyard"');
    expect(rig.recorder.events("request_refused")[0]?.detail).toEqual({ reason: "unauthorized", count: 1 });
  });

  it("does not count a token in the query", async () => {
    const got = await sendInVain(`${url}?access_token=${TOKEN}&token=${TOKEN}`, {
      body: call(1, "echo"),
      headers: { authorization: undefined },
    });
    expect(got.status).toBe(401);
  });

  it.each([
    "evil.example",
    "127.0.0.1",
    "127.0.0.1:1",
    "localhost.evil.example:80",
    "LOCALHOST",
    "[::1]:80",
    "0.0.0.0",
  ])("turns away a wrong Host: %s", async (host) => {
    const got = await sendInVain(url, { body: call(1, "echo"), headers: { host } });
    expect(got.status).toBe(403);
    expect(rig.recorder.events("request_refused")[0]?.detail).toMatchObject({ reason: "wrong_host" });
  });

  it.each([
    "http://evil.example",
    "null",
    "http://localhost",
    "https://127.0.0.1",
    "http://127.0.0.1:1",
    "file://",
  ])("turns away a foreign Origin (DNS rebinding): %s", async (origin) => {
    const got = await sendInVain(url, { body: call(1, "echo"), headers: { origin } });
    expect(got.status).toBe(403);
    expect(got.headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("takes its own names as Host and Origin", async () => {
    const headers = { host: `localhost:${port}`, origin: `http://127.0.0.1:${port}` };
    expect((await send(url, { body: call(1, "echo"), headers })).status).toBe(200);
  });

  it("answers no preflight of a browser", async () => {
    const got = await send(url, { method: "OPTIONS", headers: { origin: "http://evil.example" } });
    expect(got.status).toBe(403);
  });

  it("answers a field that stands twice with 400", async () => {
    const raw = await sendRaw(
      `POST /mcp/one HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${TOKEN}\r\nAuthorization: Bearer x\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(raw).toMatch(/^HTTP\/1\.1 400 /);
  });

  it.each([
    "/mcp/two",
    "/mcp/one/",
    "/mcp/__proto__",
    "/mcp/constructor",
    "/mcp/%6fne",
    "/mcp/one?x=1",
    "/mcp/",
  ])("knows no server at %s", async (path) =>
    expect((await send(rig.url + path, { body: call(1, "echo") })).status).toBe(404),
  );

  it("says nothing is there, and asks for no token, where clients look for an authorization server", async () => {
    const got = await send(`${rig.url}/.well-known/oauth-protected-resource`, {
      method: "GET",
      headers: { authorization: undefined },
    });
    expect(got.status).toBe(404);
  });

  it("notes refusals that repeat less and less often", async () => {
    for (let time = 0; time < 12; time++) {
      await send(url, { method: "GET", headers: { authorization: undefined } });
    }
    expect(rig.recorder.events("request_refused").map(({ detail }) => detail["count"])).toEqual([1, 10]);
  });

  it("listens on the loopback interface only", () => {
    expect(new URL(rig.url).hostname).toBe("127.0.0.1");
  });
});

describe("the control endpoint", () => {
  it("reports and seals for who holds its token", async () => {
    const headers = { authorization: `Bearer ${CONTROL_TOKEN}` };
    await send(url, { body: call(1, "echo") });
    expect(await send(`${rig.url}/control/report`, { method: "GET", headers })).toMatchObject({
      status: 200,
      json: { totals: { calls: 1, allowed: 1, denied: 0, failed: 0 } },
    });
    expect(await send(`${rig.url}/control/seal`, { headers, body: { reason: 7 } })).toMatchObject({
      status: 400,
    });
    expect(await send(`${rig.url}/control/seal`, { headers, body: { reason: "job done" } })).toMatchObject({
      status: 200,
      json: { sealed: true },
    });
    expect(rig.sealed).toEqual(["job done"]);
  });

  it("answers whoever asked for the end after it, when no agent is connected any more", async () => {
    const stored = Promise.withResolvers<unknown>();
    const own = await startRig({
      servers: {},
      control: {
        token: CONTROL_TOKEN,
        report: () => ({}),
        seal: async () => {
          await own.close();
          return stored.promise;
        },
      },
    });
    const agent = connect(Number(new URL(own.url).port), "127.0.0.1");
    await once(agent, "connect");
    // Half a request: it is not idle, and nothing ends it but the proxy.
    agent.write("POST /mcp/one HTTP/1.1\r\n");
    const ended = new Promise((resolve) => agent.resume().once("close", resolve));
    agent.on("error", () => undefined);
    const headers = { authorization: `Bearer ${CONTROL_TOKEN}` };
    const answer = send(`${own.url}/control/seal`, { headers, body: { reason: "job done" } });
    await Promise.race([ended, answer]);
    stored.resolve({ sealed: true });
    expect(await answer).toMatchObject({ status: 200, json: { sealed: true } });
    await ended;
  });

  it("gives the agent's token on the control endpoint the answer of a wrong one, to the byte", async () => {
    const answers: string[] = [];
    for (const authorization of [`Bearer ${TOKEN}`, "Bearer wrong", undefined]) {
      for (const path of ["/control/report", "/control/seal", "/control/other"]) {
        const { status, headers, text } = await send(rig.url + path, {
          headers: { authorization },
          body: {},
        });
        answers.push(JSON.stringify([status, { ...headers, date: "" }, text]));
      }
    }
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain("401");
    expect(rig.sealed).toEqual([]);
  });
});

describe("what comes in", () => {
  it.each(["text/plain", "application/json-rpc", "application/x-www-form-urlencoded", undefined])(
    "has to be JSON, not %s",
    async (type) => {
      const got = await sendInVain(url, { body: call(1, "echo"), headers: { "content-type": type } });
      expect(got.status).toBe(415);
    },
  );

  it.each([
    [
      "duplicate method keys",
      '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"echo"}}',
    ],
    [
      "duplicate name keys",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"secret"}}',
    ],
    ["a Method case variant", '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{}}'],
    [
      "a NAME case variant",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","NAME":"secret"}}',
    ],
    [
      "args with __proto__",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"__proto__":{}}}}',
    ],
    [
      "2^53+1",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"n":9007199254740993}}}',
    ],
    [
      "1e400",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"n":1e400}}}',
    ],
    ["-0", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"n":-0}}}'],
    ["NUL in a tool name", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo\\u0000"}}'],
    ["a lone surrogate", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo\\ud800"}}'],
    [
      "10,000 levels",
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}}}`,
    ],
    ["a batch in no session", '[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}]'],
    ["an empty batch", "[]"],
    ["two documents", '{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":2,"method":"ping"}'],
    ["no JSON", "tools/call"],
    ["nothing", ""],
  ])("is refused before anything reaches the server: %s", async (_, body) => {
    const got = await sendInVain(url, { body });
    expect(got.status).toBe(400);
    expect(got.json.error.code).toBeLessThan(-32000);
  });

  it.each([
    ["Mcp-Name that differs from the body", { "mcp-name": "other" }],
    ["Mcp-Name that differs from the body, base64-encoded", { "mcp-name": "=?base64?b3RoZXI=?=" }],
    ["Mcp-Method that differs from the body", { "mcp-method": "tools/list" }],
  ])("is refused before anything reaches the server: %s", async (_, headers) => {
    const got = await sendInVain(url, { body: call(3, "echo"), headers });
    expect(got).toMatchObject({ status: 400, json: { id: 3, error: { code: -32020 } } });
    expect(rig.recorder.events("message_refused")[0]?.detail).toMatchObject({ reason: "header_mismatch" });
  });

  it.each(["2025-11-25", "2026-07-29"])(
    "is refused before anything reaches the server: MCP-Protocol-Version %s, which differs from the body",
    async (revision) => {
      const got = await sendInVain(url, stateless(call(3, "echo"), { "mcp-protocol-version": revision }));
      expect(got).toMatchObject({ status: 400, json: { id: 3, error: { code: -32020 } } });
    },
  );

  it("is refused before anything reaches the server: a stateless revision in the header alone", async () => {
    const headers = { "mcp-protocol-version": "2026-07-28" };
    const got = await sendInVain(url, { body: call(3, "echo"), headers });
    expect(got).toMatchObject({ status: 400, json: { id: 3, error: { code: -32602 } } });
    expect(rig.recorder.events("message_refused")[0]?.detail).toMatchObject({ reason: "bad_claim" });
  });

  it("leaves a reason on the log", async () => {
    await send(url, { body: '{"a":1,"a":2}' });
    expect(rig.recorder.events("message_refused")[0]?.detail).toEqual({
      server: "one",
      agent: "agent",
      reason: "duplicate_member",
      count: 1,
    });
  });

  it("refuses a 100 MB message by its length, and in chunks once it is too long", async () => {
    const got = await send(url, { body: "x".repeat(64 * 1024 + 1) });
    expect(got.status).toBe(413);
    const status = await new Promise<number>((resolve, reject) => {
      const request = requestHttp(
        url,
        {
          method: "POST",
          headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        },
        (response) => {
          resolve(response.statusCode ?? 0);
          request.destroy();
        },
      );
      request.on("error", reject);
      const chunk = Buffer.alloc(1024 * 1024, 0x20);
      let left = 100;
      const write = (): void => {
        while (left > 0 && !request.destroyed) {
          left--;
          if (!request.write(chunk)) {
            request.once("drain", write);
            return;
          }
        }
      };
      write();
    });
    expect(status).toBe(413);
    expect((await send(url, { body: call(2, "echo") })).status).toBe(200);
  });

  it("ends a slow loris, in the header and in the body", async () => {
    const inHeader = sendRaw(`POST /mcp/one HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-`);
    const inBody = sendRaw(
      `POST /mcp/one HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`,
    );
    expect(await inHeader).toMatch(/^HTTP\/1\.1 408 /);
    expect(await inBody).toMatch(/^HTTP\/1\.1 408 /);
    expect((await send(url, { body: call(2, "echo") })).status).toBe(200);
  });

  it("refuses headers beyond their bound", async () => {
    const got = await send(url, { body: call(1, "echo"), headers: { "x-long": "x".repeat(20_000) } });
    expect(got.status).toBe(431);
  });

  it.each(["PUT", "PATCH", "HEAD"])("knows no %s", async (method) => {
    expect(await send(url, { method })).toMatchObject({
      status: 405,
      headers: { allow: "POST, GET, DELETE" },
    });
  });
});

function sendRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => {
      received += chunk.toString();
      if (received.includes("\r\n\r\n")) {
        socket.destroy();
      }
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
  });
}
