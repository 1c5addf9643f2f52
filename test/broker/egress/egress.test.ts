/** What a hostile server, a hostile issuer or a hostile resolver can do to the broker's way out: nothing. */
import type { LookupAddress } from "node:dns";
import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from "node:http";
import { request as requestTls } from "node:https";
import type { AddressInfo } from "node:net";
import { beforeEach, describe, expect, test } from "vitest";
import { type Egress, type EgressOptions, openEgress } from "../../../broker/egress/egress.ts";

let server: Server;
let answer: (response: ServerResponse, request: IncomingMessage) => void;
let connections: number;
let received: IncomingMessage[];
let port: number;

beforeEach(async () => {
  connections = 0;
  received = [];
  answer = (response) => void response.end("{}");
  server = createServer((incoming, response) => {
    received.push(incoming);
    answer(response, incoming);
  });
  server.on("connection", () => (connections += 1));
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  port = (server.address() as AddressInfo).port;
  return async () => {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    server.closeAllConnections();
    await closed.promise;
  };
});

const open = (options: Partial<EgressOptions> = {}): Egress => {
  return openEgress({ isOwnNetwork: () => false, ...options });
};
const resolveTo = (...rounds: string[][]) => {
  const asked: string[] = [];
  const resolve = async (hostname: string): Promise<LookupAddress[]> => {
    const addresses = rounds[Math.min(asked.length, rounds.length - 1)] ?? [];
    asked.push(hostname);
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
  return { asked, resolve };
};

interface Got {
  readonly status?: number | undefined;
  readonly error?: string;
}

/** One request over a connection to this server. */
const get = async (egress: Egress, url: string, isPrivate = false): Promise<Got> =>
  new Promise((resolve) => {
    const send = url.startsWith("https:") ? requestTls : request;
    const outgoing = send(url, { agent: false, ...egress.guard({ url, isPrivate }) }, (response) => {
      response.resume();
      response.once("end", () => resolve({ status: response.statusCode }));
    });
    outgoing.once("error", (error) => resolve({ error: error.message }));
    outgoing.end();
  });

describe("connections to servers", () => {
  test("a loopback address that is written out counts as said", async () => {
    const egress = open();
    expect(await get(egress, `http://127.0.0.1:${port}/mcp`)).toEqual({ status: 200 });
  });

  test.each([
    ["metadata", "169.254.169.254"],
    ["private", "10.1.2.3"],
    ["loopback", "127.0.0.1"],
    ["multicast", "239.1.1.1"],
    ["unspecified", "0.0.0.0"],
    ["IPv4-mapped metadata", "::ffff:169.254.169.254"],
    ["IPv4-mapped private", "::ffff:10.0.0.1"],
    ["NAT64 loopback", "64:ff9b::7f00:1"],
    ["IPv6 link-local", "fe80::1"],
    ["IPv6 unique local", "fd12:3456::1"],
    ["cloud metadata over IPv6", "fd00:ec2::254"],
  ])("a name that resolves to a %s address is not connected to", async (_, address) => {
    const { resolve } = resolveTo([address]);
    const outcome = await get(open({ resolve }), `https://mcp.example.com:${port}/`);
    expect(outcome.error).toContain("address: nothing is fetched there");
    expect(connections).toBe(0);
  });

  test("a name with a public and a private address is refused for the private one", async () => {
    const { resolve } = resolveTo(["93.184.215.14", "10.0.0.7"]);
    const egress = open({ resolve });
    await expect(
      egress.askIssuer({ method: "GET", url: "https://issuer.example.com/token" }),
    ).rejects.toThrow("private address");
  });

  test("DNS rebinding: an address that changes between two connections is checked for each of them", async () => {
    const { resolve, asked } = resolveTo(["127.0.0.1"], ["169.254.169.254"]);
    const egress = open({ resolve });
    const url = `http://localhost:${port}/mcp`;
    answer = (response) => void response.setHeader("connection", "close").end("{}");
    expect(await get(egress, url)).toEqual({ status: 200 });
    expect((await get(egress, url)).error).toContain("link-local address");
    expect(asked).toHaveLength(2);
    expect(connections).toBe(1);
  });

  test.each(["http://169.254.169.254/", "http://[::ffff:169.254.169.254]/", "http://2852039166/"])(
    "%s written out in the registry is not connected to, marked private or not",
    (url) => {
      expect(() => open().guard({ url, isPrivate: false })).toThrow(/TLS|link-local/);
      expect(() => open().guard({ url, isPrivate: true })).toThrow(/TLS|link-local/);
    },
  );

  test("a private address without TLS is refused even where the registry says private", () => {
    expect(() => open().guard({ url: "http://10.0.0.5/mcp", isPrivate: true })).toThrow("private address");
    expect(() => open().guard({ url: "http://10.0.0.5/mcp", isPrivate: false })).toThrow("without TLS");
  });

  test("a name in the operator's own network is connected to where the registry says private, and not else", async () => {
    const { resolve } = resolveTo(["127.0.0.1"]);
    const url = `http://mcp.internal.test:${port}/mcp`;
    expect(await get(open({ resolve }), url, true)).toEqual({ status: 200 });
    expect(() => open({ resolve }).guard({ url, isPrivate: false })).toThrow("without TLS");
  });
});

describe("questions to issuers", () => {
  const ask = async (egress: Egress, path = "/token") =>
    egress.askIssuer({ method: "POST", url: `http://127.0.0.1:${port}${path}`, body: "grant_type=x" });

  test("an answer of any status comes back with its headers and its body", async () => {
    answer = (response) => void response.writeHead(400, { "x-one": "1" }).end('{"error":"invalid_grant"}');
    expect(await ask(open())).toMatchObject({
      status: 400,
      headers: { "x-one": "1" },
      body: '{"error":"invalid_grant"}',
    });
  });

  test("an answer with a status that HTTP does not have is none", async () => {
    answer = (response) => void response.writeHead(799).end("{}");
    await expect(ask(open())).rejects.toThrow(/no final status, but 799/);
  });

  test("a redirect to the metadata address is an answer and is not followed", async () => {
    answer = (response) => void response.writeHead(307, { location: "http://169.254.169.254/" }).end();
    expect(await ask(open())).toMatchObject({ status: 307 });
    expect(connections).toBe(1);
  });

  test("an answer of 5 GB ends at four mebibytes", async () => {
    let sent = 0;
    answer = (response) => {
      response.writeHead(200, { "content-length": String(5 * 2 ** 30) });
      const piece = Buffer.alloc(64 * 1024);
      const write = (): void => {
        while (!response.destroyed) {
          sent += piece.length;
          if (!response.write(piece)) break;
        }
      };
      response.on("drain", write);
      write();
    };
    await expect(ask(open())).rejects.toThrow("more than 4194304 bytes");
    expect(sent).toBeLessThan(64 * 2 ** 20);
  });

  test("a slow loris answer ends with its time", async () => {
    answer = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(" "), 20);
      response.once("close", () => clearInterval(timer));
    };
    await expect(ask(open({ issuerTimeoutMs: 300 }))).rejects.toThrow("no answer within 0.3 s");
  });

  test("a cookie is not handed on and not sent back", async () => {
    answer = (response) => void response.setHeader("set-cookie", "a=b").end("{}");
    const egress = open();
    expect((await ask(egress)).headers).not.toHaveProperty("set-cookie");
    await ask(egress);
    expect(received.map(({ headers }) => headers.cookie)).toEqual([undefined, undefined]);
  });

  test("a failure names no query, where some issuers want secrets", async () => {
    const failure = open().askIssuer({ method: "GET", url: "http://10.9.8.7/token?client_secret=canary" });
    await expect(failure).rejects.toThrow(/^(?!.*canary)/);
  });

  test("an issuer of the operator's own network is asked where somebody says so", async () => {
    const { resolve } = resolveTo(["127.0.0.1"]);
    const url = `http://sso.internal.test:${port}/token`;
    const own = open({ resolve, isOwnNetwork: ({ hostname }) => hostname === "sso.internal.test" });
    expect(await own.askIssuer({ method: "GET", url })).toMatchObject({ status: 200 });
    await expect(open({ resolve }).askIssuer({ method: "GET", url })).rejects.toThrow("without TLS");
  });
});
