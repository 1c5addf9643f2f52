import { once } from "node:events";
import { createServer, get, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { startForwarder } from "./token-forwarder.ts";

async function startTarget(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ host, url: `http://${host}/mcp/x` },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function fetchFields(url: string, headers: Record<string, string>): Promise<NodeJS.Dict<unknown>> {
  const [response] = (await once(get(url, { headers }), "response")) as [IncomingMessage];
  return JSON.parse(Buffer.concat(await Array.fromAsync(response)).toString());
}

describe("the forwarder that adds a token", () => {
  it("adds the token, and names what is behind it to whoever names the forwarder", async () => {
    await using target = await startTarget((request, response) => {
      response.end(JSON.stringify({ path: request.url, ...request.headers }));
    });
    await using forwarder = await startForwarder(target.url, "t0k3n");
    const own = new URL(forwarder.url);
    expect(
      await fetchFields(forwarder.url, { origin: own.origin, "mcp-name": "=?base64?ZWNobw==?=" }),
    ).toMatchObject({
      ...{ path: "/mcp/x", host: target.host, origin: `http://${target.host}` },
      ...{ authorization: "Bearer t0k3n", "mcp-name": "=?base64?ZWNobw==?=" },
    });
    expect(
      await fetchFields(forwarder.url, { host: "evil.example", origin: "http://evil.example" }),
    ).toMatchObject({ host: "evil.example", origin: "http://evil.example" });
  });

  it("passes status, fields and bytes, each as it comes, and keeps what was said", async () => {
    const goOn = Promise.withResolvers<void>();
    await using target = await startTarget((asked, response) => {
      asked.on("data", (body: Buffer) => {
        response.writeHead(201, { "Mcp-Session-Id": "abc" });
        response.write(`${body.toString()} first `);
      });
      void goOn.promise.then(() => response.end("second"));
    });
    await using forwarder = await startForwarder(target.url, "t0k3n");
    const asking = request(forwarder.url, { method: "POST" });
    asking.end("asked");
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    const [first] = (await once(response, "data")) as [Buffer];
    expect(first.toString()).toBe("asked first ");
    expect(response.statusCode).toBe(201);
    expect(response.headers["mcp-session-id"]).toBe("abc");
    goOn.resolve();
    const [second] = (await once(response, "data")) as [Buffer];
    expect(second.toString()).toBe("second");
    await expect
      .poll(() => forwarder.exchanges)
      .toEqual([{ method: "POST", asked: "asked", answered: "asked first second" }]);
  });

  it("leaves when the client leaves, and breaks off when the target breaks off", async () => {
    const left = Promise.withResolvers<void>();
    await using target = await startTarget((asked, response) => {
      if (asked.method === "DELETE") {
        response.destroy();
        return;
      }
      response.on("close", () => left.resolve());
      response.write("open");
    });
    await using forwarder = await startForwarder(target.url, "t0k3n");
    const asking = get(forwarder.url);
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    response.destroy();
    await left.promise;
    const broken = request(forwarder.url, { method: "DELETE" });
    broken.end();
    await expect(once(broken, "response")).rejects.toThrow("socket hang up");
  });
});
