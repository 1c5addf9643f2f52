import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { RawConnection, readAnswer } from "../../bench/programs/raw-connection.ts";

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;

async function connectToServer(): Promise<RawConnection> {
  const server = createServer((incoming, outgoing) => {
    switch (incoming.url) {
      case "/length":
        outgoing.writeHead(200, { "content-length": 5 }).end("plain");
        break;
      case "/large":
        outgoing.writeHead(200, { "content-length": 300_000 }).end("x".repeat(300_000));
        break;
      case "/chunks":
        outgoing.writeHead(200);
        outgoing.write("in ");
        setImmediate(() => outgoing.end("two chunks"));
        break;
      case "/nothing":
        outgoing.writeHead(202).end();
        break;
      default:
        outgoing.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = await RawConnection.open(
    new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
  );
  onTestFinished(() => {
    connection.close();
    server.close();
  });
  return connection;
}

describe("a raw connection", () => {
  it("reads one answer after the other from the same connection, however its length is told", async () => {
    const connection = await connectToServer();
    const read = async (path: string): Promise<[number, string]> => {
      const { status, body } = await connection.exchange(request(path));
      return [status, body.toString()];
    };
    expect(await read("/length")).toEqual([200, "plain"]);
    expect(await read("/chunks")).toEqual([200, "in two chunks"]);
    expect(await read("/nothing")).toEqual([202, ""]);
    expect(await read("/large")).toEqual([200, "x".repeat(300_000)]);
    expect(await read("/length")).toEqual([200, "plain"]);
  });

  it("does not wait for an answer on a connection that was closed", async () => {
    const connection = await connectToServer();
    await expect(connection.exchange(request("/gone"))).rejects.toThrow("the connection was closed");
  });
});

describe("reading an answer", () => {
  it("waits while bytes are missing", () => {
    const whole = Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    for (let length = 0; length < whole.length; length += 1) {
      expect(readAnswer(whole.subarray(0, length))).toBeUndefined();
    }
    expect(readAnswer(whole)?.body.toString()).toBe("abc");
  });
});
