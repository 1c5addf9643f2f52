/** What a hostile answer, a hostile resolver or a slow line can do to whoever fetches a document: nothing. */
import type { LookupAddress } from "node:dns";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { deflateSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FetchLimits, fetchJson } from "../../../broker/identity/fetched-document.ts";

let server: Server;
let answer: (response: ServerResponse, request: IncomingMessage) => void;
let connections: number;
let port: number;

beforeEach(async () => {
  connections = 0;
  answer = (response) => void response.end("{}");
  server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    answer(response, request);
  });
  server.on("connection", () => (connections += 1));
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  server.closeAllConnections();
  await closed.promise;
});

const LIMITS: FetchLimits = { maxBytes: 1000, timeoutMs: 1_000 };
const get = async (limits: Partial<FetchLimits> = {}, host = "127.0.0.1") =>
  fetchJson(`http://${host}:${port}/document`, { ...LIMITS, ...limits });
const resolveTo = (...addresses: string[]) => {
  const asked: string[] = [];
  const resolve = async (hostname: string): Promise<LookupAddress[]> => {
    asked.push(hostname);
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
  return { asked, resolve };
};

describe("the answer", () => {
  test("a JSON object is read", async () => {
    answer = (response) => void response.end('{"keys":[1]}');
    expect(await get()).toEqual({ keys: [1] });
  });

  test.each([
    ["an array", "[]"],
    ["no JSON", "<html>"],
    ["a name twice", '{"issuer":"a","issuer":"b"}'],
    ["deeper than sixteen", `{"a":${"[".repeat(20)}${"]".repeat(20)}}`],
    ["not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["empty", ""],
  ])("a body that is %s", async (_, body) => {
    answer = (response) => void response.end(body);
    await expect(get()).rejects.toMatchObject({ code: "fetch_failed" });
  });

  test.each([undefined, "text/html", "application/octet-stream", "text/json", "application/jsonp"])(
    "another content type: %s",
    async (type) => {
      answer = (response) => {
        if (type === undefined) response.removeHeader("content-type");
        else response.setHeader("content-type", type);
        response.end("{}");
      };
      await expect(get()).rejects.toThrow(/type/);
    },
  );

  test.each(["application/json; charset=utf-8", "application/jwk-set+json", "Application/JSON"])(
    "JSON under the content type %s",
    async (type) => {
      answer = (response) => void response.setHeader("content-type", type).end("{}");
      expect(await get()).toEqual({});
    },
  );

  test.each([301, 302, 303, 307, 308])("a redirect by %d is not followed", async (status) => {
    answer = (response) => void response.writeHead(status, { location: "/other" }).end("{}");
    await expect(get()).rejects.toThrow(`the answer is ${status}`);
    expect(connections).toBe(1);
  });

  test.each([204, 206, 404, 500])("the status %d", async (status) => {
    answer = (response) => void response.writeHead(status).end();
    await expect(get()).rejects.toThrow(`the answer is ${status}`);
  });
});

describe("size and time", () => {
  test("a body over the limit, announced or not", async () => {
    answer = (response) => void response.end(`{"a":"${"x".repeat(1000)}"}`);
    await expect(get()).rejects.toThrow("more than 1000 bytes");
    answer = (response) => {
      response.write(`{"a":"${"x".repeat(600)}`);
      response.end(`${"x".repeat(600)}"}`);
    };
    await expect(get()).rejects.toThrow("more than 1000 bytes");
  });

  test("nothing compressed is asked for; gzip is read all the same", async () => {
    answer = (response, request) => {
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync(JSON.stringify({ asked: request.headers["accept-encoding"] })));
    };
    expect(await get()).toEqual({ asked: "identity" });
  });

  test("a gzip bomb: small on the line, large when it is unpacked", async () => {
    const bomb = gzipSync(`{"a":"${"x".repeat(400_000)}"}`);
    expect(bomb.length).toBeLessThan(1000);
    answer = (response) => void response.setHeader("content-encoding", "gzip").end(bomb);
    await expect(get()).rejects.toMatchObject({ code: "fetch_failed" });
  });

  test.each([
    ["gzip, gzip", gzipSync(gzipSync("{}"))],
    ["deflate", deflateSync("{}")],
    ["br", "{}"],
    ["gzip", "{}"],
  ])("content-encoding %s that is not one gzip", async (encoding, body) => {
    answer = (response) => void response.setHeader("content-encoding", encoding).end(body);
    await expect(get()).rejects.toMatchObject({ code: "fetch_failed" });
  });

  test("a server that accepts and says nothing", async () => {
    answer = () => undefined;
    await expect(get({ timeoutMs: 200 })).rejects.toThrow("longer than 200 ms");
  });

  test("a very slow drip: each byte comes in time, the whole does not", async () => {
    answer = (response) => {
      const drip = setInterval(() => response.write(" "), 20);
      response.once("close", () => clearInterval(drip));
    };
    await expect(get({ timeoutMs: 300 })).rejects.toThrow("longer than 300 ms");
  });

  test("a connection that breaks off in the middle", async () => {
    answer = (response) => {
      response.writeHead(200, { "content-length": "500" });
      response.write("{");
      setImmediate(() => response.destroy());
    };
    await expect(get()).rejects.toMatchObject({ code: "fetch_failed" });
  });

  test("headers without end", async () => {
    answer = (response) => {
      for (let index = 0; index < 40; index += 1) response.setHeader(`x-${index}`, "x".repeat(1000));
      response.end("{}");
    };
    await expect(get()).rejects.toMatchObject({ code: "fetch_failed" });
  });
});

describe("the address", () => {
  const permitted = new Set(["loopback"] as const);
  const publicOnly = new Set(["public"] as const);

  test("a name that resolves to what is permitted is connected to there", async () => {
    const { asked, resolve } = resolveTo("127.0.0.1");
    expect(await get({ permitted, resolve }, "issuer.example")).toEqual({});
    expect(asked).toEqual(["issuer.example"]);
  });

  test.each([
    ["169.254.169.254"],
    ["10.0.0.1"],
    ["127.0.0.1"],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["0.0.0.0"],
    ["140.82.112.3", "127.0.0.1"],
  ])("a name that resolves to %s %s: nothing is connected to", async (...addresses) => {
    const { resolve } = resolveTo(...addresses);
    const fetched = get({ permitted: publicOnly, resolve }, "issuer.example");
    await expect(fetched).rejects.toThrow(/issuer\.example is .* address: nothing is fetched there/);
    expect(connections).toBe(0);
  });

  test.each(["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "[::ffff:7f00:1]"])(
    "an address that is written out as %s is checked without a resolver",
    async (host) => {
      await expect(get({ permitted: publicOnly }, host)).rejects.toThrow("nothing is fetched there");
      expect(connections).toBe(0);
    },
  );

  test("DNS rebinding: a name is resolved once for each connection, and what was checked is connected to", async () => {
    const answers = ["127.0.0.1", "169.254.169.254", "127.0.0.1"];
    let asked = 0;
    const resolve = async (): Promise<LookupAddress[]> => [{ address: answers[asked++] ?? "", family: 4 }];
    expect(await get({ permitted, resolve }, "issuer.example")).toEqual({});
    expect([asked, connections]).toEqual([1, 1]);
    await expect(get({ permitted, resolve }, "issuer.example")).rejects.toThrow("link-local");
    expect([asked, connections]).toEqual([2, 1]);
    expect(await get({ permitted, resolve }, "issuer.example")).toEqual({});
    expect([asked, connections]).toEqual([3, 2]);
  });

  test("a resolver that fails, never answers, or has nothing to say", async () => {
    const failing = async () => Promise.reject(new Error("ESERVFAIL"));
    await expect(get({ resolve: failing }, "issuer.example")).rejects.toThrow("ESERVFAIL");
    const silent = async () => new Promise<never>(() => undefined);
    await expect(get({ resolve: silent, timeoutMs: 200 }, "issuer.example")).rejects.toThrow("longer than");
    await expect(get({ resolve: resolveTo().resolve }, "issuer.example")).rejects.toThrow("no address");
  });
});
