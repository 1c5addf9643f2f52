import { once } from "node:events";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HttpClient } from "../../../../proxy/upstream/http/http-client.ts";
import { type Authority, createAuthority } from "../../../support/certificates.ts";

const trusted = getCACertificates("default");
let authority: Authority;
beforeAll(() => {
  authority = createAuthority("Authority of this test");
  setDefaultCACertificates([...trusted, authority.cert]);
});
afterAll(() => setDefaultCACertificates(trusted));

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const opened of open.splice(0)) {
    opened.close();
  }
});

/** A server whose certificate is for `name`, as it is reached as `localhost`. */
async function startBed(issuer: Authority, name: string): Promise<HttpClient> {
  const server = createServer(issuer.issue({ names: [name] }), (_, response) => response.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = new HttpClient(new URL(`https://localhost:${port}`), { connectTimeoutMs: 10_000 });
  open.push(client, { close: () => server.close() });
  return client;
}

function ask(client: HttpClient): Promise<string> {
  return new Promise((resolve) => {
    let body = "";
    client.open().request(
      { method: "GET", fields: {} },
      {
        head: () => undefined,
        data: (bytes) => {
          body += bytes.toString("latin1");
        },
        end: () => resolve(body),
        failed: resolve,
      },
    );
  });
}

describe("a server over TLS", () => {
  it("whose certificate is good for its name is answered by", async () => {
    const client = await startBed(authority, "localhost");
    expect(await ask(client)).toBe("hello");
    expect(await ask(client)).toBe("hello");
  });

  it("whose certificate is for another name hears nothing", async () => {
    expect(await ask(await startBed(authority, "other.example"))).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  it("whose certificate nobody trusts hears nothing", async () => {
    const stranger = createAuthority("Nobody knows it");
    expect(await ask(await startBed(stranger, "localhost"))).toMatch(/^(?:UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/);
  });

  it("that takes connections and never says who it is has as long as any to connect", async () => {
    const server = createTcpServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = new HttpClient(new URL(`https://127.0.0.1:${port}`), { connectTimeoutMs: 200 });
    open.push(client, { close: () => server.close() });
    expect(await ask(client)).toBe("ETIMEDOUT");
  });
});
