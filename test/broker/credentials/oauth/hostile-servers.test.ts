/** Servers and authorization servers that lie, each answered with a sentence that holds no secret, and with nothing sent on. */
import { afterEach, describe, expect, test } from "vitest";
import type { EntryOfKind, MintFailure } from "../../../../broker/credentials/kind.ts";
import { clientCredentials } from "../../../../broker/credentials/kinds/client-credentials.ts";
import { oauth } from "../../../../broker/credentials/kinds/oauth.ts";
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

async function mintAt(issuer: string, through = ask): Promise<MintFailure> {
  const entry: EntryOfKind<"client-credentials"> = { kind: "client-credentials", issuer, client_id: "c" };
  const context = mintingContext<"client-credentials">(entry, { secret: Buffer.from(SECRET), ask: through });
  const result = await clientCredentials.mint(context);
  if (result.ok) throw new Error("it minted");
  expect(result.sentence).not.toContain("canary");
  expect(result.sentence).toMatch(/\.$/);
  return result;
}

async function connectAt(
  url: string,
  { clientSecret, ...written }: Partial<EntryOfKind<"oauth">> & { clientSecret?: string } = {},
): Promise<MintFailure> {
  const serverUrl = `${url}/mcp`;
  const entry = { kind: "oauth", ...written } as const;
  const terms = { entry, serverUrl, clientSecret, publicUrl: "https://lanyard.acme.example" };
  return prepareAuthorization({ ...terms, ask }).then(
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

  test("token endpoint at a server of the operator's own network: what the registry permits there is not permitted to others", async () => {
    const own = await startLiar({ "/token": () => ({}) });
    const endpoint = `https://internal.example:${new URL(own.url).port}/token`;
    const { url } = await startLiar({ [METADATA]: (at) => ({ ...metadata(at), token_endpoint: endpoint }) });
    const { askIssuer } = openEgress({
      isOwnNetwork: ({ hostname }) => hostname === "internal.example",
      resolve: async () => [{ address: "127.0.0.1", family: 4 }],
    });
    expect(await mintAt(url, askIssuer)).toMatchObject({
      code: "refused",
      sentence: expect.stringContaining("nothing is fetched there"),
    });
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

  test("that names an issuer of its choice is not told of a client that somebody registered, nor its secret", async () => {
    const { url, asked } = await startLiar({
      [RESOURCE]: (own) => ({ resource: `${own}/mcp`, authorization_servers: [own] }),
      [METADATA]: metadata,
    });
    const failure = await connectAt(url, { client_id: "lanyard-at-the-bank", clientSecret: SECRET });
    expect(failure).toMatchObject({ code: "refused", sentence: expect.stringContaining("write issuer") });
    expect(asked).toEqual([]);
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

  test.each([
    ["on the same host", "https://mcp.example/notes", "https://mcp.example/tickets"],
    ["whose path begins alike", "https://mcp.example/notes", "https://mcp.example/notes-of-others"],
    ["elsewhere", "https://mcp.example/notes", "https://evil.example/notes"],
  ])("%s is not shown what was granted for another one", async (_where, resource, serverUrl) => {
    const client = {
      client_id: "lanyard",
      origin: "configured",
      redirect_uri: "https://x.example/",
    } as const;
    const grant = {
      issuer: "https://login.example",
      resource,
      client,
      proof: "none",
      access_token: "granted",
    };
    const mint = async (at: string) => {
      const context = { secret: Buffer.from(JSON.stringify(grant)), serverUrl: at, session: undefined };
      return oauth.mint(mintingContext<"oauth">({ kind: "oauth" }, context));
    };
    expect(await mint(serverUrl)).toMatchObject({ ok: false, code: "refused" });
    expect(await mint(`${resource}/mcp`)).toMatchObject({ ok: true, minted: { value: "granted" } });
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
