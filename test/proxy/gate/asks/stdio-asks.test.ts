/** What a server on a pipe asks of agents: a pipe says nothing of whom it asks, its session does. */
import { afterEach, expect, it } from "vitest";
import { scriptedCommand } from "../../../support/mcp-scripted-stdio-server.ts";
import { type OpenStream, openStream } from "../../open-stream.ts";
import { call, OTHER_TOKEN, type Rig, type Said, send, shakeHands, startRig } from "../../rig.ts";

const ROOTS = { roots: [{ uri: "file:///work" }] };
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const opened of open.splice(0).reverse()) {
    await opened.close();
  }
});

async function startWith(behaviour: string): Promise<{ rig: Rig; url: string }> {
  const rig = await startRig({
    servers: {
      one: { transport: "stdio", command: scriptedCommand(behaviour), env: {}, start: "lazy" },
    },
    grants: [{ server: "one", tools: ["echo"], asks: ["roots"] }],
  });
  open.push(rig);
  return { rig, url: `${rig.url}/mcp/one` };
}

async function begin(url: string, fields: Record<string, string>, args = {}): Promise<OpenStream> {
  const stream = await openStream(url, { method: "POST", headers: fields, body: call(1, "echo", args) });
  open.push(stream);
  return stream;
}

async function heard(stream: OpenStream, count: number): Promise<Said[]> {
  await expect.poll(() => stream.messages.length, { timeout: 15_000 }).toBe(count);
  return [...stream.messages];
}

const respond = (url: string, fields: Record<string, string>, id: unknown, result: unknown) =>
  send(url, { headers: fields, body: { jsonrpc: "2.0", id, result } });

it("it is asked on the stream of the call that is in flight, and gets its answer", async () => {
  const { rig, url } = await startWith("roots");
  const fields = await shakeHands(url);
  const stream = await begin(url, fields);
  const [asked] = await heard(stream, 1);
  expect(asked).toEqual({ jsonrpc: "2.0", id: expect.any(String), method: "roots/list" });
  await respond(url, fields, asked.id, ROOTS);
  const [, answer] = await heard(stream, 2);
  expect(JSON.parse(answer.result.content[0].text)).toEqual(ROOTS);
  expect(rig.recorder.of("call").map(({ method }) => method)).toEqual(["tools/call", "roots/list"]);
});

it("one agent's server request is never delivered to another agent, whose answer to it is none", async () => {
  const { url } = await startWith("roots");
  const fields = await shakeHands(url);
  const others = await shakeHands(url, { token: OTHER_TOKEN });
  const otherStream = await begin(url, others);
  const stream = await begin(url, fields);
  const [asked] = await heard(stream, 1);
  const [otherAsked] = await heard(otherStream, 1);
  await respond(url, others, asked.id, { roots: [{ uri: "file:///other" }] });
  await respond(url, fields, asked.id, ROOTS);
  const [, answer] = await heard(stream, 2);
  expect(JSON.parse(answer.result.content[0].text)).toEqual(ROOTS);
  await respond(url, others, otherAsked.id, { roots: [] });
  const [, otherAnswer] = await heard(otherStream, 2);
  expect(JSON.parse(otherAnswer.result.content[0].text)).toEqual({ roots: [] });
});

it("a request id that is the one of the call in flight: both are answered, each as itself", async () => {
  const { url } = await startWith("asks-with-our-id");
  const fields = await shakeHands(url);
  const stream = await begin(url, fields);
  const [asked] = await heard(stream, 1);
  await respond(url, fields, asked.id, ROOTS);
  const [, answer] = await heard(stream, 2);
  expect(answer).toMatchObject({ id: 1, result: { content: [{ text: JSON.stringify(ROOTS) }] } });
});

it("it takes back what it asked under the id of the call in flight: the call goes on", async () => {
  const { rig, url } = await startWith("asks-with-our-id");
  const fields = await shakeHands(url);
  const [asked, cancelled, answer] = await heard(await begin(url, fields, { cancel: true }), 3);
  expect(cancelled).toMatchObject({ method: "notifications/cancelled", params: { requestId: asked.id } });
  expect(answer).toMatchObject({ id: 1, result: { content: [{ text: "changed its mind" }] } });
  expect(rig.recorder.of("result").map(({ outcome }) => outcome)).toEqual(["cancelled", "ok"]);
});
