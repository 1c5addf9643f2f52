/** Servers and authorization servers that lie, each answered with a sentence that holds no secret, and with nothing sent on. */
import { afterEach, describe, expect, test } from "vitest";
import type { EntryOfKind, MintFailure } from "../../../../broker/credentials/kind.ts";
import { clientCredentials } from "../../../../broker/credentials/kinds/client-credentials.ts";
import { prepareAuthorization } from "../../../../broker/credentials/oauth/authorization.ts";
import { describeFailure } from "../../../../broker/credentials/oauth/failure.ts";
import { checkNamedAddress } from "../../../../broker/credentials/oauth/named-address.ts";
import { openEgress } from "../../../../broker/egress/egress.ts";
import { type WebListener, listenWeb } from "../../../support/web-listener.ts";
import { mintingContext } from "../../../support/minting-context.ts";

const SECRET = "canary-0123456789abcdef";
const listeners: WebListener[] = [];
afterEach(async () => {
  await Promise.all(listeners.splice(0).map((each) => each.close()));
});

type Answers = Readonly<Record<string, (url: string) => unknown>>;

/** By path: JSON, or a response. What is asked for elsewhere is not found. */
async function startLiar(answers: Answers): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const listener = await listenWeb(async (request) => {
    const { pathname, origin } = new URL(request.url);
    asked.push(pathname);
    const answer = answers[pathname]?.(origin);
    if (answer === undefined) return new Response("no", { status: 404 });
    return answer instanceof Response ? answer : Response.json(answer);
  });
  listeners.push(listener);
  return { url: listener.url, asked };
}

const metadata = (url: string) => ({
  issuer: url,
  token_endpoint: `${url}/token`,
  authorization_endpoint: `${url}/authorize`,
  registration_endpoint: `${url}/register`,
  code_challenge_methods_supported: ["S256"],
});
const METADATA = "/.well-known/oauth-authorization-server";
const RESOURCE = "/.well-known/oauth-protected-resource/mcp";
const { askIssuer: ask } = openEgress({ isOwnNetwork: () => false, issuerTimeoutMs: 1_000 });

async function mintAt(issuer: string): Promise<MintFailure> {
  const entry: EntryOfKind<"client-credentials"> = { kind: "client-credentials", issuer, client_id: "c" };
  const context = mintingContext<"client-credentials">(entry, { secret: Buffer.from(SECRET), ask });
  const result = await clientCredentials.mint(context);
  if (result.ok) throw new Error("it minted");
  expect(result.sentence).not.toContain("canary");
  expect(result.sentence).toMatch(/\.$/);
  return result;
}

async function connectAt(url: string): Promise<MintFailure> {
  const terms = { clientSecret: undefined, before: undefined, publicUrl: "https://lanyard.acme.example" };
  const serverUrl = `${url}/mcp`;
  return prepareAuthorization({ ...terms, entry: { kind: "oauth" }, serverUrl, ask }).then(
    () => {
      throw new Error("it went on");
    },
    (error: unknown) => describeFailure(error, serverUrl),
  );
}

describe("an authorization server", () => {
  test("discovery document with another issuer: its endpoints are not asked", async () => {
    const { url, asked } = await startLiar({
      [METADATA]: (own) => ({ ...metadata(own), issuer: "https://login.example" }),
      "/token": () => ({}),
    });
    const { code, sentence } = await mintAt(url);
    expect([code, sentence]).toEqual(["refused", expect.stringContaining("is about another issuer")]);
    expect(asked).toEqual([METADATA]);
  });

  test("behind a redirect: nothing follows it", async () => {
    const { url, asked } = await startLiar({
      [METADATA]: (own) => new Response(null, { status: 302, headers: { location: `${own}/elsewhere` } }),
      "/elsewhere": metadata,
    });
    expect((await mintAt(url)).ok).toBe(false);
    expect(asked).not.toContain("/elsewhere");
  });

  test.each([
    ["huge", () => new Response("x".repeat(2_000_000), { headers: { "content-type": "application/json" } })],
    ["not JSON", () => new Response("<html>canary</html>")],
    ["JSON of another form", () => ({ token: "canary" })],
    ["an array", () => ["canary"]],
    ["broken", () => new Response("{canary", { headers: { "content-type": "application/json" } })],
    [
      "slow",
      () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("{")) })),
    ],
    ["of a server that failed", () => new Response("canary", { status: 502 })],
  ])("token endpoint answer that is %s: unavailable", async (_what, answer) => {
    const { url } = await startLiar({ [METADATA]: metadata, "/token": answer });
    expect((await mintAt(url)).code).toBe("unavailable");
  });

  test("secret in error_description, in error_uri and as the error itself: none is repeated", async () => {
    for (const error of ["invalid_client", `unknown_${SECRET}`]) {
      const body = {
        error,
        error_description: `your secret ${SECRET} is wrong`,
        error_uri: `https://x/${SECRET}`,
      };
      const { url } = await startLiar({
        [METADATA]: metadata,
        "/token": () => Response.json(body, { status: 400 }),
      });
      expect((await mintAt(url)).code).toBe("refused");
    }
  });

  test.each([
    ["bound to a key", { access_token: "t", token_type: "DPoP" }],
    ["no header can carry", { access_token: "a\r\nx: y", token_type: "Bearer" }],
  ])("a token that is %s is not presented", async (_what, body) => {
    const { url } = await startLiar({ [METADATA]: metadata, "/token": () => body });
    expect((await mintAt(url)).ok).toBe(false);
  });

  test("without PKCE: no code is asked for", async () => {
    const { url } = await startLiar({
      [METADATA]: (own) => ({ ...metadata(own), code_challenge_methods_supported: ["plain"] }),
    });
    expect(await connectAt(url)).toMatchObject({
      code: "refused",
      sentence: expect.stringContaining("PKCE"),
    });
  });

  test("a registration endpoint elsewhere: nobody is registered there", async () => {
    const elsewhere = await startLiar({ "/register": () => ({ client_id: "evil" }) });
    const { url } = await startLiar({
      [METADATA]: (own) => ({ ...metadata(own), registration_endpoint: `${elsewhere.url}/register` }),
    });
    const failure = await connectAt(url);
    expect(failure).toMatchObject({
      code: "refused",
      sentence: expect.stringContaining("registered elsewhere"),
    });
    expect(elsewhere.asked).toEqual([]);
  });
});

describe("a server", () => {
  test("that says it is another resource gets no token for that one", async () => {
    const { url, asked } = await startLiar({
      [RESOURCE]: (own) => ({ resource: "https://bank.example/mcp", authorization_servers: [own] }),
      [METADATA]: metadata,
    });
    expect(await connectAt(url)).toMatchObject({
      code: "refused",
      sentence: expect.stringContaining("another resource"),
    });
    expect(asked).not.toContain(METADATA);
  });

  test("that names metadata at a private address: nothing is fetched there", async () => {
    const challenge = (address: string) => () =>
      new Response(null, {
        status: 401,
        headers: { "www-authenticate": `Bearer resource_metadata="${address}"` },
      });
    for (const address of [
      "http://10.0.0.1/x",
      "http://169.254.169.254/latest",
      "https://192.168.0.1/x",
      "http://public.example/x",
    ]) {
      const { url, asked } = await startLiar({ "/mcp": challenge(address) });
      expect(await connectAt(url)).toMatchObject({ code: "refused" });
      expect(asked).toEqual(["/mcp"]);
    }
  });

  test("metadata that repeat a name, so that two readers disagree, are not read", async () => {
    const text = (own: string) =>
      `{"resource":"${own}/mcp","resource":"${own}/mcp","authorization_servers":[]}`;
    const { url } = await startLiar({ [RESOURCE]: (own) => new Response(text(own)) });
    expect(await connectAt(url)).toMatchObject({ code: "refused" });
  });
});

describe("an address that is named on the internet", () => {
  const by = "https://mcp.example/mcp";
  test.each([
    "http://127.0.0.1:9/x",
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://[::1]/x",
    "https://[::ffff:10.0.0.1]/x",
    "https://2130706433/x",
    "https://10.1.2.3/x",
    "https://169.254.169.254/x",
    "https://0.0.0.0/x",
    "http://login.example/x",
    "https://user:pw@login.example/x",
    "https://login.example/x#f",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "",
    7,
    undefined,
  ])("%s is refused", (address) => {
    expect(() => checkNamedAddress(address, { what: "token endpoint", by })).toThrow();
  });

  test("is taken where it is public and over TLS, and on this machine where that named it", () => {
    expect(checkNamedAddress("https://login.example/x?y=1", { what: "w", by })).toBe(
      "https://login.example/x?y=1",
    );
    expect(checkNamedAddress("http://127.0.0.1:9/x", { what: "w", by: "http://127.0.0.1:8/mcp" })).toBe(
      "http://127.0.0.1:9/x",
    );
  });
});
