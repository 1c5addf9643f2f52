import { request as requestHttp, type ServerResponse } from "node:http";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Limits } from "../../../../proxy/limits.ts";
import { startReferenceServer } from "../../../support/mcp-reference-server.ts";
import {
  answerJson,
  openEvents,
  type Received,
  type ScriptedServer,
  startScriptedServer,
  writeMessage,
} from "../../../support/mcp-scripted-http-server.ts";
import {
  call,
  INITIALIZE,
  type Rig,
  type Said,
  send,
  shakeHands,
  startRig,
  stateless,
  TOKEN,
} from "../../rig.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const opened of open.splice(0).reverse()) {
    await opened.close();
  }
});

async function startWith(
  answer: (received: Received, response: ServerResponse) => void,
  limits: Partial<Limits> = {},
): Promise<{ server: ScriptedServer; rig: Rig; url: string }> {
  const server = await startScriptedServer(answer);
  open.push(server);
  const rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [{ server: "one", tools: ["echo"] }],
    limits,
  });
  open.push(rig);
  return { server, rig, url: `${rig.url}/mcp/one` };
}

const result = (id: unknown, text = "done"): object => ({
  jsonrpc: "2.0",
  id,
  result: { content: [{ type: "text", text }] },
});
const progress = {
  jsonrpc: "2.0",
  method: "notifications/progress",
  params: { progressToken: 1, progress: 1 },
};

/** A server with sessions, whose calls are answered as given. */
function withSession(onCall: (received: Received, response: ServerResponse) => void) {
  return (received: Received, response: ServerResponse): void => {
    const { message } = received;
    if (message?.method === "initialize") {
      response.setHeader("mcp-session-id", "the-session");
      answerJson(response, {
        jsonrpc: "2.0",
        id: 0,
        result: { protocolVersion: "2025-11-25", capabilities: {} },
      });
    } else if (message !== undefined && message.id === undefined) {
      response.writeHead(202).end();
    } else {
      onCall(received, response);
    }
  };
}

describe("a server's answer", () => {
  it("goes on as the server wrote it, white space and all", async () => {
    const raw = '{ "result" : {"content":[], "n": 1.0e0},\n "jsonrpc":"2.0", "id":1 }';
    const { url } = await startWith((_, response) => answerJson(response, raw));
    expect((await send(url, { body: call(1, "echo") })).text).toBe(raw);
  });

  it("in a stream goes on event by event, with ids, before the stream ends", async () => {
    const held = Promise.withResolvers<ServerResponse>();
    const { url } = await startWith((_, response) => {
      const events = openEvents(response);
      events.write(": hello\n\nid: 7\nretry: 5\ndata: \n\n");
      writeMessage(events, progress);
      held.resolve(events);
    });
    const seen: string[] = [];
    const request = requestHttp(url, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    });
    request.end(JSON.stringify(call(1, "echo")));
    const done = new Promise<void>((resolve) =>
      request.on("response", (response) => {
        expect(response.headers).toMatchObject({
          "content-type": "text/event-stream",
          "x-accel-buffering": "no",
        });
        response.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
        response.on("end", resolve);
      }),
    );
    await expect.poll(() => seen.join("")).toContain("notifications/progress");
    expect(seen.join("")).toContain("id: 7\nretry: 5\ndata: \n\n");
    const events = await held.promise;
    events.end(`id: 8\ndata: ${JSON.stringify(result(1))}\n\n`);
    await done;
    expect(seen.join("")).toMatch(/id: 8\nevent: message\ndata: \{.*"done".*\}\n\n$/);
  });

  it("to another request's id does not reach the agent", async () => {
    const { url, rig } = await startWith(({ message }, response) => {
      const events = openEvents(response);
      writeMessage(events, result(99, "foreign"));
      writeMessage(events, result("1", "a text is no number"));
      writeMessage(events, result(message.id, "own"));
      events.end();
    });
    const got = await send(url, { body: call(1, "echo") });
    expect(got.events).toEqual([result(1, "own")]);
    expect(rig.recorder.events("server_message_dropped")).toHaveLength(1);
  });

  it("to another request's id in a document is a failure", async () => {
    const { url, rig } = await startWith((_, response) => answerJson(response, result(99)));
    const got = await send(url, { body: call(1, "echo") });
    expect(got.json).toMatchObject({
      id: 1,
      error: { message: 'The server "one" gave no answer (closed: no answer)' },
    });
    expect(rig.recorder.of("result")[0]?.outcome).toBe("error");
  });

  it("that comes twice reaches the agent once, and the log has one result", async () => {
    const { url, rig } = await startWith(({ message }, response) => {
      const events = openEvents(response);
      writeMessage(events, result(message.id, "first"));
      writeMessage(events, result(message.id, "second"));
      events.end();
    });
    expect((await send(url, { body: call(1, "echo") })).events).toEqual([result(1, "first")]);
    expect(rig.recorder.of("result")).toHaveLength(1);
  });

  it.each([
    ["names its id twice", '{"jsonrpc":"2.0","id":1,"id":2,"result":{}}'],
    ["has result and error", '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}'],
    ["is no JSON", '{"jsonrpc":"2.0","id":1,"result":'],
    ["has more behind it", '{"jsonrpc":"2.0","id":1,"result":{}} {}'],
    ["is nothing", ""],
  ])("that %s is a failure", async (_, raw) => {
    const { url } = await startWith((_received, response) => answerJson(response, raw));
    expect((await send(url, { body: call(1, "echo") })).json.error.code).toBe(-32603);
  });

  it("that breaks off in a document is a failure", async () => {
    const { url, rig } = await startWith((_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": 1000 });
      response.write('{"jsonrpc":"2.0",');
      setImmediate(() => response.destroy());
    });
    const got = await send(url, { body: call(1, "echo") });
    expect(got.json.error.message).toContain("closed: mid-answer");
    expect(rig.recorder.events("upstream_lost")[0]?.detail).toMatchObject({ server: "one", code: "closed" });
  });

  it("that breaks off in a stream ends it with an error for the agent", async () => {
    const { url, rig } = await startWith((_, response) => {
      writeMessage(openEvents(response), progress);
      setImmediate(() => response.destroy());
    });
    const got = await send(url, { body: call(1, "echo") });
    expect(got.events).toMatchObject([progress, { id: 1, error: { code: -32603 } }]);
    expect(rig.recorder.of("result")[0]?.outcome).toBe("error");
  });

  it("beyond its bound is a failure, as a document and in a stream", async () => {
    const { url } = await startWith(
      ({ message }, response) => {
        const big = result(message.id, "x".repeat(4096));
        if (message.id === 1) {
          answerJson(response, big);
        } else {
          writeMessage(openEvents(response), big);
          response.end();
        }
      },
      { maxAnswerBytes: 2048 },
    );
    expect((await send(url, { body: call(1, "echo") })).json.error.message).toContain("too_large");
    expect((await send(url, { body: call(2, "echo") })).events[0].error.message).toContain("too_large");
  });

  it("of 50 MB of image passes", async () => {
    const image = "A".repeat(67 * 1024 * 1024);
    const { url } = await startWith(({ message }, response) =>
      answerJson(response, result(message.id, image)),
    );
    const got = await send(url, { body: call(1, "echo") });
    expect(got.json.result.content[0].text.length).toBe(image.length);
  });

  it("that never comes is a timeout, and the server is told", async () => {
    const { url, rig, server } = await startWith(
      withSession((_, response) => openEvents(response)),
      {
        callTimeoutMs: 100,
      },
    );
    const headers = await shakeHands(url);
    const got = await send(url, { headers, body: call(1, "echo") });
    expect(got.events[0].error.message).toBe("The call took too long");
    expect(rig.recorder.of("result")[0]?.outcome).toBe("timeout");
    const requestId = server.received.find(({ message }) => message?.method === "tools/call")?.message.id;
    await expect
      .poll(() => server.received.at(-1)?.message)
      .toEqual({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } });
  });

  it("in a never-ending stream is bounded by the time of the call", async () => {
    const { url } = await startWith(
      (_, response) => {
        const events = openEvents(response);
        const flood = (): void => {
          while (!events.destroyed && events.write(`data: ${JSON.stringify(progress)}\n\n`)) {
            // Until nobody reads as fast.
          }
          events.once("drain", flood);
        };
        flood();
      },
      { callTimeoutMs: 300 },
    );
    const got = await send(url, { body: call(1, "echo") });
    expect(got.events.at(-1).error.message).toBe("The call took too long");
  });

  it("is read no faster than the agent reads", async () => {
    let written = 0;
    const { url } = await startWith((_, response) => {
      const events = openEvents(response);
      const filler = `data: ${JSON.stringify({ ...progress, params: { progressToken: 1, x: "x".repeat(60_000) } })}\n\n`;
      const flood = (): void => {
        while (!events.destroyed && written < 500 * 1024 * 1024 && events.write(filler)) {
          written += filler.length;
        }
        events.once("drain", flood);
      };
      flood();
    });
    const request = requestHttp(url, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    });
    request.on("error", () => undefined);
    request.end(JSON.stringify(call(1, "echo")));
    await new Promise((resolve) => request.on("response", resolve));
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = written === before;
          before = written;
          return isStill;
        },
        { interval: 200 },
      )
      .toBe(true);
    expect(written).toBeLessThan(64 * 1024 * 1024);
    request.destroy();
  });
});

describe("a request of the server", () => {
  it.each(["sampling/createMessage", "elicitation/create", "roots/list"])(
    "%s is answered for the agent, which never sees it",
    async (method) => {
      const answered = Promise.withResolvers<Received>();
      const { url, rig } = await startWith(
        withSession((received, response) => {
          if (received.message.method === undefined) {
            answered.resolve(received);
            response.writeHead(202).end();
            return;
          }
          const events = openEvents(response);
          writeMessage(events, { jsonrpc: "2.0", id: "q", method, params: {} });
          void answered.promise.then(() => {
            writeMessage(events, result(received.message.id));
            events.end();
          });
        }),
      );
      const headers = await shakeHands(url);
      const got = await send(url, { headers, body: call(1, "echo") });
      expect(got.events).toEqual([result(1)]);
      const { message, headers: sent } = await answered.promise;
      expect(message).toEqual({
        jsonrpc: "2.0",
        id: "q",
        error: { code: -32601, message: "Method not found" },
      });
      expect(sent["mcp-session-id"]).toBe("the-session");
      expect(rig.recorder.events("server_request_refused")[0]?.detail).toMatchObject({
        server: "one",
        method,
      });
    },
  );

  it("for a sign of life gets one", async () => {
    const answered = Promise.withResolvers<Received>();
    const { url } = await startWith((received, response) => {
      if (received.message.method === undefined) {
        answered.resolve(received);
        response.writeHead(202).end();
        return;
      }
      const events = openEvents(response);
      writeMessage(events, { jsonrpc: "2.0", id: 0, method: "ping" });
      writeMessage(events, result(received.message.id));
      events.end();
    });
    await send(url, { body: call(1, "echo") });
    expect((await answered.promise).message).toEqual({ jsonrpc: "2.0", id: 0, result: {} });
  });

  it("that is a notification which no agent is granted is dropped", async () => {
    const { url } = await startWith(({ message }, response) => {
      const events = openEvents(response);
      for (const method of [
        "notifications/message",
        "notifications/resources/updated",
        "notifications/cancelled",
        "x",
      ]) {
        writeMessage(events, { jsonrpc: "2.0", method, params: {} });
      }
      writeMessage(events, { jsonrpc: "2.0", method: "notifications/progress", params: {} });
      writeMessage(events, result(message.id));
      events.end();
    });
    const got = await send(url, { body: call(1, "echo") });
    expect(got.events.map(({ method }) => method)).toEqual(["notifications/progress", undefined]);
  });
});

describe("a server that cannot be reached", () => {
  it("gives the agent a clear error and the log one event for one outage", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    await using rig = await startRig({
      servers: { one: { transport: "http", url: `http://127.0.0.1:${port}/mcp` } },
      grants: [{ server: "one", tools: ["echo"] }],
    });
    for (const id of [1, 2]) {
      const got = await send(`${rig.url}/mcp/one`, { body: call(id, "echo") });
      expect(got.json.error).toEqual({
        code: -32603,
        message: 'The server "one" gave no answer (unreachable: ECONNREFUSED)',
      });
    }
    expect(rig.recorder.events("upstream_lost").map(({ detail }) => detail)).toEqual([
      { server: "one", code: "unreachable", detail: "ECONNREFUSED" },
    ]);
    expect(rig.totals()).toMatchObject({ allowed: 2, failed: 2 });
  });

  it.each([401, 403, 407])("with HTTP %i does not send the agent to log in elsewhere", async (status) => {
    const { url } = await startWith((_, response) => {
      response
        .writeHead(status, { "www-authenticate": 'Bearer resource_metadata="http://evil.example"' })
        .end();
    });
    const got = await send(url, { body: call(1, "echo") });
    expect(got.status).toBe(200);
    expect(got.headers).not.toHaveProperty("www-authenticate");
    const { content, isError } = got.json.result;
    expect([content[0].text, isError]).toEqual([
      `The server "one" does not let this session in (credentials_refused: HTTP ${status}). Whoever operates Lanyard has to look at it: the page of credentials has more.`,
      true,
    ]);
  });

  it("because it points elsewhere is not followed", async () => {
    const { url, server } = await startWith((_, response) => {
      response.writeHead(307, { location: "http://169.254.169.254/" }).end();
    });
    expect((await send(url, { body: call(1, "echo") })).json.error.message).toContain("redirected: HTTP 307");
    expect(server.received).toHaveLength(1);
  });

  it("with an error of HTTP passes its status", async () => {
    const { url } = await startWith((_, response) => response.writeHead(500).end("<html>"));
    const got = await send(url, { body: call(1, "echo") });
    expect(got).toMatchObject({
      status: 500,
      json: { id: 1, error: { message: 'The server "one" answered with HTTP 500' } },
    });
  });

  it("with a refusal of the stateless revision passes it as it is", async () => {
    const refusal = {
      jsonrpc: "2.0",
      error: { code: -32000, message: "Bad Request: Server not initialized" },
      id: null,
    };
    const { url } = await startWith((_, response) => answerJson(response, refusal, 400));
    const got = await send(url, stateless({ jsonrpc: "2.0", id: 1, method: "server/discover", params: {} }));
    expect(got).toMatchObject({ status: 400, text: JSON.stringify(refusal) });
  });
});

describe("a session over HTTP", () => {
  it("that the server does not know any more is over", async () => {
    const { url } = await startWith(
      withSession((_, response) =>
        answerJson(
          response,
          { jsonrpc: "2.0", id: null, error: { code: -32001, message: "Session not found" } },
          404,
        ),
      ),
    );
    const headers = await shakeHands(url);
    expect((await send(url, { headers, body: call(1, "echo") })).status).toBe(404);
    expect((await send(url, { headers, body: call(2, "echo") })).text).toContain("Session not found");
  });

  it("has a stream of its own, and the fields that resume it", async () => {
    const { url, server } = await startWith(
      withSession(({ method }, response) => {
        if (method === "GET") {
          const events = openEvents(response);
          writeMessage(events, { jsonrpc: "2.0", method: "notifications/progress", params: {} });
          writeMessage(events, { jsonrpc: "2.0", id: 1, method: "roots/list" });
          writeMessage(events, result(77));
          events.end();
        }
      }),
    );
    const headers = await shakeHands(url);
    const got = await send(url, {
      method: "GET",
      headers: { ...headers, accept: "text/event-stream", "last-event-id": "e-9" },
    });
    expect(got.events.map(({ method }) => method)).toEqual(["notifications/progress"]);
    const asked = server.received.find(({ method }) => method === "GET");
    expect(asked?.headers).toMatchObject({
      "last-event-id": "e-9",
      "mcp-session-id": "the-session",
      accept: "text/event-stream",
    });
  });

  it("passes that a server has no such stream", async () => {
    const { url } = await startWith(
      withSession(({ method }, response) => response.writeHead(method === "GET" ? 405 : 200).end()),
    );
    const headers = await shakeHands(url);
    expect(await send(url, { method: "GET", headers })).toMatchObject({
      status: 405,
      headers: { allow: "POST" },
    });
  });

  it("can ask again for an answer whose stream broke off, and the log has one result", async () => {
    let asked: unknown;
    const { url, rig } = await startWith(
      withSession(({ method, message }, response) => {
        const events = openEvents(response);
        if (method === "GET") {
          events.write(`id: e-2\ndata: ${JSON.stringify(result(asked, "after all"))}\n\n`);
          events.end();
        } else if (message.method === "tools/call") {
          asked = message.id;
          events.end("id: e-1\ndata: \n\n");
        }
      }),
    );
    const headers = await shakeHands(url);
    const broken = await send(url, { headers, body: call(1, "echo") });
    expect(broken).toMatchObject({ status: 200, events: [] });
    expect(rig.recorder.of("result")).toEqual([]);
    const resumed = await send(url, { method: "GET", headers: { ...headers, "last-event-id": "e-1" } });
    expect(resumed.events).toEqual([result(1, "after all")]);
    expect(rig.recorder.of("result").map(({ outcome }) => outcome)).toEqual(["ok"]);
  });
});

describe("an agent that leaves", () => {
  it("takes its call with it: the server is told, the log says cancelled", async () => {
    await using reference = Object.assign(await startReferenceServer(), {
      [Symbol.asyncDispose]: () => reference.close(),
    });
    await using rig = await startRig({
      servers: { one: { transport: "http", url: reference.url } },
      grants: [{ server: "one", tools: ["wait"] }],
    });
    const { headers, body } = stateless(call(1, "wait"));
    const request = requestHttp(`${rig.url}/mcp/one`, {
      method: "POST",
      headers: {
        ...headers,
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
    });
    request.on("error", () => undefined);
    request.end(JSON.stringify(body));
    await expect.poll(() => reference.witness.calls.length).toBe(1);
    request.destroy();
    await reference.witness.aborted;
    const outcome = await rig.recorder.waitFor(() => rig.recorder.of("result")[0]?.outcome);
    expect(outcome).toBe("cancelled");
  });
});

describe("a subscription", () => {
  it("of a stateless server is honoured for changes of the tools, stays open, and ends with the client", async () => {
    await using reference = Object.assign(await startReferenceServer(), {
      [Symbol.asyncDispose]: () => reference.close(),
    });
    await using rig = await startRig({
      servers: { one: { transport: "http", url: reference.url } },
      grants: [{ server: "one", tools: ["echo"] }],
      limits: { maxStreams: 1 },
    });
    const wishes = {
      toolsListChanged: true,
      promptsListChanged: true,
      resourceSubscriptions: ["file:///etc"],
    };
    const { headers = {}, body } = stateless({
      ...{ jsonrpc: "2.0", id: "listen:0", method: "subscriptions/listen" },
      params: { notifications: wishes },
    });
    const received: Said[] = [];
    const request = requestHttp(`${rig.url}/mcp/one`, {
      method: "POST",
      headers: {
        ...headers,
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
    });
    request.on("error", () => undefined);
    request.on("response", (response) =>
      response.on("data", (chunk: Buffer) => {
        for (const line of chunk
          .toString()
          .split("\n")
          .filter((text) => text.startsWith("data: {"))) {
          received.push(JSON.parse(line.slice(6)));
        }
      }),
    );
    request.end(JSON.stringify(body));
    await expect
      .poll(() => received)
      .toMatchObject([
        {
          method: "notifications/subscriptions/acknowledged",
          params: { notifications: { toolsListChanged: true } },
        },
      ]);
    expect(received[0].params.notifications).toEqual({ toolsListChanged: true });
    await send(`${rig.url}/mcp/one`, stateless({ jsonrpc: "2.0", id: 1, method: "tools/list" }));
    reference.changeTools();
    await expect.poll(() => received[1]?.method).toBe("notifications/tools/list_changed");
    expect((await send(`${rig.url}/mcp/one`, { headers, body })).status).toBe(503);
    expect(rig.recorder.events("limit_reached")[0]?.detail).toMatchObject({ limit: "max_streams" });
    request.destroy();
  });
});

describe("an x-mcp-header of a tool", () => {
  it("is rebuilt from the arguments once the tool is known, and a differing value is refused", async () => {
    await using reference = Object.assign(await startReferenceServer(), {
      [Symbol.asyncDispose]: () => reference.close(),
    });
    await using rig = await startRig({
      servers: { one: { transport: "http", url: reference.url } },
      grants: [{ server: "one", tools: ["region"] }],
    });
    const url = `${rig.url}/mcp/one`;
    const ask = (region: string): ReturnType<typeof send> =>
      send(url, stateless(call(1, "region", { region: "eu" }), { "mcp-param-region": region }));
    // Nobody has listed the tools yet: the server says what is missing, and the client lists them.
    expect((await ask("eu")).json.error.code).toBe(-32020);
    await send(url, stateless({ jsonrpc: "2.0", id: 2, method: "tools/list", params: {} }));
    expect((await ask("eu")).json.result.content[0].text).toBe("eu");
    expect(reference.requests.at(-1)).toMatchObject({ "mcp-param-region": "eu", "mcp-name": "region" });
    const before = reference.requests.length;
    expect(await ask("us")).toMatchObject({ status: 400, json: { error: { code: -32020 } } });
    expect(reference.requests.length).toBe(before);
    expect(rig.recorder.of("call").at(-1)).toMatchObject({ decision: "deny", reason: "header_mismatch" });
  });
});

describe("a thousand calls at once", () => {
  it("are answered or turned away, and none is lost on the log", async () => {
    const { url, rig } = await startWith(
      ({ message }, response) => answerJson(response, result(message.id)),
      {
        maxConcurrentRequests: 64,
        maxConnections: 2000,
      },
    );
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, id) => send(url, { body: call(id, "echo") })),
    );
    const statuses = Map.groupBy(answers, ({ status }) => status);
    expect([...statuses.keys()].sort()).toEqual(statuses.has(503) ? [200, 503] : [200]);
    const served = statuses.get(200) ?? [];
    expect(served.every(({ json }, index) => json.result !== undefined && index >= 0)).toBe(true);
    expect(rig.recorder.of("call")).toHaveLength(served.length);
    expect(rig.recorder.of("result")).toHaveLength(served.length);
    expect((await send(url, { body: INITIALIZE })).status).toBe(200);
  });
});

describe("an agent that leaves a stream it could resume", () => {
  it("and does not come back takes its call with it", async () => {
    const { url, rig, server } = await startWith(
      withSession((_, response) => openEvents(response).write("id: e-1\ndata: \n\n")),
      { resumeGraceMs: 50 },
    );
    const headers = await shakeHands(url);
    const request = requestHttp(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
    });
    request.on("error", () => undefined);
    request.end(JSON.stringify(call(1, "echo")));
    await new Promise((resolve) => request.on("response", (response) => response.once("data", resolve)));
    request.destroy();
    const outcome = await rig.recorder.waitFor(() => rig.recorder.of("result")[0]?.outcome);
    expect(outcome).toBe("cancelled");
    await expect.poll(() => server.received.at(-1)?.message.method).toBe("notifications/cancelled");
  });
});
