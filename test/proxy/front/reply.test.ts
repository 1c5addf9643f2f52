import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HttpReply, splitReply } from "../../../proxy/front/reply.ts";

let server: Server;
let url: string;

beforeEach(async () => {
  server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** One request, as both ends see it. */
async function open(maxUnreadBytes = 1024 * 1024): Promise<{
  reply: HttpReply;
  response: ServerResponse;
  received: Promise<IncomingMessage>;
  leave(): void;
}> {
  const request = get(url);
  request.on("error", () => undefined);
  const received = once(request, "response").then(([response]: IncomingMessage[]) => {
    if (response === undefined) {
      throw new Error("no response");
    }
    return response;
  });
  received.catch(() => undefined);
  const [, response]: [IncomingMessage, ServerResponse] = (await once(server, "request")) as [
    IncomingMessage,
    ServerResponse,
  ];
  return {
    reply: new HttpReply(response, maxUnreadBytes),
    response,
    received,
    leave: () => request.destroy(),
  };
}

const textOf = async (response: IncomingMessage): Promise<string> =>
  Buffer.concat(await Array.fromAsync<Buffer>(response)).toString();

it("a flood of comments is not kept for a reader that does not read", async () => {
  const { reply, response, received } = await open();
  reply.openStream();
  const reader = await received;
  reader.pause();
  for (let sent = 0; sent < 1_000_000; sent++) {
    reply.sendComment();
  }
  expect(response.writableLength).toBeLessThan(1024 * 1024);
  reader.destroy();
});

describe("a reply", () => {
  it("is a document when nothing was sent before its last message", async () => {
    const { reply, received } = await open();
    reply.finish(200, Buffer.from('{"a":"é"}').toString("latin1"));
    const response = await received;
    expect(response.headers["content-type"]).toBe("application/json");
    expect(await textOf(response)).toBe('{"a":"é"}');
    expect(reply.isOver).toBe(true);
  });

  it("is the same document from bytes, and the same last event", async () => {
    const bytes = Buffer.from('{"a":"é"}');
    const document = await open();
    document.reply.finish(200, bytes);
    expect(await textOf(await document.received)).toBe('{"a":"é"}');
    const stream = await open();
    stream.reply.openStream();
    stream.reply.finish(200, bytes, "1");
    expect(await textOf(await stream.received)).toBe('id: 1\nevent: message\ndata: {"a":"é"}\n\n');
  });

  it("is a stream once something was sent before", async () => {
    const { reply, received } = await open();
    void reply.sendEvent({ data: "{}", id: "1" });
    reply.sendComment();
    reply.finish(404, "[]", "2");
    reply.finish(200, "never");
    const response = await received;
    expect(response).toMatchObject({ statusCode: 200 });
    expect(await textOf(response)).toBe(
      "id: 1\nevent: message\ndata: {}\n\n: keep-alive\n\nid: 2\nevent: message\ndata: []\n\n",
    );
  });

  it("drops what a reader that does not read would have it hold, and says when it reads again", async () => {
    const { reply, response, received } = await open(256 * 1024);
    const data = "x".repeat(64 * 1024);
    let wait: Promise<void> | undefined;
    for (let count = 0; count < 1000; count++) {
      wait = reply.sendEvent({ data });
    }
    expect(response.writableLength).toBeLessThan(1024 * 1024);
    expect(wait).toBeDefined();
    (await received).resume();
    await wait;
    expect(reply.sendEvent({ data: "small" })).toBeUndefined();
    reply.finishEmpty(200);
  });

  it("tells that the agent left, even to who asks later", async () => {
    const { reply, response, leave } = await open();
    const early = new Promise<void>((resolve) => reply.onGone(resolve));
    leave();
    await early;
    await new Promise<void>((resolve) => reply.onGone(resolve));
    expect(response.destroyed).toBe(true);
    expect(reply.isOver).toBe(true);
  });

  it("does not take its own end for a leave", async () => {
    const { reply, response, received } = await open();
    let isGone = false;
    reply.onGone(() => {
      isGone = true;
    });
    const closed = once(response, "close");
    reply.finishEmpty(202);
    (await received).resume();
    await closed;
    expect(isGone).toBe(false);
  });
});

describe("replies to the members of a batch", () => {
  it("share a stream that ends with the last of them", async () => {
    const { reply, received } = await open();
    const [first, second] = splitReply(reply, 2);
    second?.finish(200, '{"id":2}');
    void second?.sendEvent({ data: "too late" });
    expect(reply.isOver).toBe(false);
    first?.finish(404, '{"id":1}');
    expect(await textOf(await received)).toBe(
      'event: message\ndata: {"id":2}\n\nevent: message\ndata: {"id":1}\n\n',
    );
  });
});
