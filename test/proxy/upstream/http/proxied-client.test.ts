/** Requests out of a network that has an HTTP proxy at its edge. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HttpClient } from "../../../../proxy/upstream/http/http-client.ts";
import { createAuthority } from "../../../support/certificates.ts";
import { type HttpProxy, startHttpProxy } from "../../../support/http-proxy.ts";

const trusted = getCACertificates("default");
let tls: Server;
let plain: Server;
let proxy: HttpProxy;
/** Of requests that arrived at either server. */
let arrived: string[][];

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const authority = createAuthority("Authority of this test");
  setDefaultCACertificates([...trusted, authority.cert]);
  tls = createServer(authority.issue({ names: ["mcp.example"] }), (request, response) => {
    arrived.push(Object.keys(request.headers));
    response.end("over TLS");
  });
  plain = createHttpServer((request, response) => {
    arrived.push(Object.keys(request.headers));
    response.end(`plain ${request.url}`);
  });
  const routes = { "mcp.example:443": await listen(tls), "mcp.example:80": await listen(plain) };
  proxy = await startHttpProxy({ ...routes, "stranger.example:443": routes["mcp.example:443"] });
});
afterAll(() => {
  setDefaultCACertificates(trusted);
  [tls, plain, proxy].forEach((each) => each.close());
});
beforeEach(() => {
  arrived = [];
  proxy.asked.length = 0;
});

interface Way {
  readonly httpProxies?: Record<string, string>;
  readonly times?: number;
  readonly connectTimeoutMs?: number;
}

/** What was answered, or the code of what went wrong, time after time. */
async function ask(url: string, { times = 1, connectTimeoutMs = 10_000, ...way }: Way = {}) {
  const { httpProxies = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url } } = way;
  const client = new HttpClient(new URL(url), { connectTimeoutMs, httpProxies });
  const heard: string[] = [];
  for (let count = 0; count < times; count += 1) {
    const { promise, resolve } = Promise.withResolvers<string>();
    let body = "";
    client.open().request(
      { method: "POST", fields: { "mcp-session-id": "one" }, body: "{}" },
      {
        head: () => undefined,
        data: (bytes) => {
          body += bytes.toString("latin1");
        },
        end: () => resolve(body),
        failed: resolve,
      },
    );
    heard.push(await promise);
  }
  client.close();
  return heard;
}

describe("through an HTTP proxy", () => {
  it("a server over TLS is reached in one tunnel for all requests, and never sees the proxy's password", async () => {
    expect(await ask("https://mcp.example/mcp", { times: 3 })).toEqual(Array(3).fill("over TLS"));
    expect(proxy.asked).toEqual(["CONNECT mcp.example:443"]);
    expect(arrived).toHaveLength(3);
    expect(arrived.flat().filter((name) => name.startsWith("proxy-"))).toEqual([]);
  });

  it("a server without TLS is reached, with the proxy's password", async () => {
    expect(await ask("http://mcp.example/mcp?x")).toEqual(["plain /mcp?x"]);
    expect(proxy.asked).toEqual(["POST http://mcp.example/mcp?x"]);
    expect(arrived).toEqual([expect.arrayContaining(["mcp-session-id", "content-length"])]);
  });

  it("a server with the certificate of another name hears nothing", async () => {
    expect(await ask("https://stranger.example/mcp")).toEqual(["ERR_TLS_CERT_ALTNAME_INVALID"]);
    expect(arrived).toEqual([]);
  });

  it.each(["127.0.0.1", "localhost", "127.9.9.9", "broker.localhost", "[::1]"])(
    "%s is never reached through it",
    async (host) => {
      await ask(`http://${host}:1/mcp`);
      expect(proxy.asked).toEqual([]);
    },
  );

  it("what NO_PROXY names is not reached through it", async () => {
    const httpProxies = { https_proxy: proxy.url, no_proxy: "other.example,.mcp.example,mcp.example" };
    expect(await ask("https://mcp.example/mcp", { httpProxies })).not.toEqual(["over TLS"]);
    expect(proxy.asked).toEqual([]);
  });

  it("one that wants another password, or knows no way, is an error with a code", async () => {
    const wrong = proxy.url.replace("pa55word", "guessed");
    expect(await ask("https://mcp.example/", { httpProxies: { HTTPS_PROXY: wrong } })).toEqual([
      "ERR_PROXY_TUNNEL",
    ]);
    expect(await ask("https://unknown.example/")).toEqual(["ERR_PROXY_TUNNEL"]);
    const nobody = { HTTPS_PROXY: "http://127.0.0.1:1" };
    expect(await ask("https://mcp.example/", { httpProxies: nobody })).toEqual(["ECONNREFUSED"]);
  });

  it.each(["a proxy", "a server behind it"])(
    "%s that never says a word has as long as any to connect",
    async (who) => {
      const silent = createTcpServer();
      const port = await listen(silent);
      const through = await startHttpProxy({ "mcp.example:443": port });
      const httpProxies = { HTTPS_PROXY: who === "a proxy" ? `http://127.0.0.1:${port}` : through.url };
      expect(await ask("https://mcp.example/", { httpProxies, connectTimeoutMs: 200 })).toEqual([
        "ETIMEDOUT",
      ]);
      through.close();
      silent.close();
    },
  );
});
