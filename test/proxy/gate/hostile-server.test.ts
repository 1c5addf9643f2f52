/** What a hostile server tries on the way back: to ask, to show, to fill memory and log, to hold on for ever. */
import { type ServerResponse } from "node:http";
import { afterEach, expect, it } from "vitest";
import type { Limits } from "../../../proxy/limits.ts";
import {
  answerJson,
  openEvents,
  type Received,
  type ScriptedServer,
  startScriptedServer,
  writeMessage,
} from "../../support/mcp-scripted-http-server.ts";
import { call, type Rig, SECRET, send, startRig, stateless } from "../rig.ts";

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
  const rig = await startRig({
    servers: { one: { transport: "http", url: server.url } },
    grants: [{ server: "one", tools: ["echo"] }],
    limits,
  });
  open.push(server, rig);
  return { server, rig, url: `${rig.url}/mcp/one` };
}

const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };

it("asks for input under a name that stands twice, which two readers take differently", async () => {
  const { url, rig } = await startWith(({ message }, response) => {
    const asked = '"inputRequests":{},"inputRequests":{"a":{"method":"sampling/createMessage"}}';
    answerJson(response, `{"jsonrpc":"2.0","id":${message.id},"result":{${asked}}}`);
  });
  const got = await send(url, stateless(call(1, "echo")));
  expect(got.text).not.toContain("sampling");
  expect(rig.recorder.of("result").map(({ outcome }) => outcome)).toEqual(["blocked"]);
});

it("shows tools in a document where a stream was asked for", async () => {
  const { url } = await startWith((_, response) =>
    answerJson(response, { jsonrpc: "2.0", id: 1, result: { tools: [{ name: "hidden" }] } }),
  );
  const got = await send(url, { method: "GET", headers: { accept: "text/event-stream" } });
  expect(got).toMatchObject({ status: 502, text: "" });
});

it("lists a tool whose name is a secret: the log does not hold it", async () => {
  const { url, rig } = await startWith(({ message }, response) =>
    answerJson(response, { jsonrpc: "2.0", id: message.id, result: { tools: [{ name: SECRET }] } }),
  );
  await send(url, { body: LIST });
  const [catalog] = rig.recorder.of("catalog");
  expect(catalog?.tools?.map(({ name }) => name)).toEqual(["[redacted:bearer:canary]"]);
});

it("lists more tools than a log can bear: no list, and no catalog of them", async () => {
  const { url, rig } = await startWith(
    ({ message }, response) => {
      const tools = Array.from({ length: 60 }, (_, index) => ({ name: `t-${index}` }));
      answerJson(response, { jsonrpc: "2.0", id: message.id, result: { tools } });
    },
    { maxListed: 50 },
  );
  const whole = await send(url, { body: LIST });
  expect(whole.json.error.message).toContain("cannot be read");
  expect(rig.recorder.of("catalog")).toEqual([]);
});

it("floods the agent's side with requests and takes no answer: few connections are held for it", async () => {
  let answers = 0;
  const { url } = await startWith(({ message }, response) => {
    if (message.method === undefined) {
      answers++;
      return;
    }
    const events = openEvents(response);
    for (let index = 0; index < 2_000; index++) {
      writeMessage(events, { jsonrpc: "2.0", id: `r-${index}`, method: "roots/list" });
    }
    writeMessage(events, { jsonrpc: "2.0", id: message.id, result: { content: [] } });
    events.end();
  });
  const got = await send(url, { body: call(1, "echo") });
  expect(got.events).toHaveLength(1);
  await expect.poll(() => answers).toBeGreaterThan(0);
  expect(answers).toBeLessThanOrEqual(32);
});

it("answers an error without an end: it is not read to its end", async () => {
  const closed = Promise.withResolvers<void>();
  const { url } = await startWith((_, response) => {
    response.once("close", () => closed.resolve());
    response.writeHead(401, { "content-type": "text/plain" });
    const write = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(16 * 1024)));
      response.once("drain", write);
    };
    write();
  });
  expect((await send(url, { body: call(1, "echo") })).json.result.content[0].text).toContain(
    "credentials_refused",
  );
  await closed.promise;
});
