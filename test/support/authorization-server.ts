/**
 * A real authorization server (oidc-provider) and an MCP server that takes its tokens alone, both over HTTP on loopback:
 * metadata, registration, PKCE, consent, refresh with rotation and reuse detection, resource indicators, revocation,
 * assertions of clients, token exchange. Whoever logs in is `robot@acme.example` and agrees to everything.
 */
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type JSONWebKeySet, createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";
import Provider from "oidc-provider";
import { bearerOf, type DemandingServer, startDemandingServer } from "./mcp-demanding-server.ts";

export const CLIENT_SECRET = "canary-of-the-client-0123456789abcdef";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

export interface AuthorizationPeer {
  readonly issuer: string;
  /** Of the protected MCP server. */
  readonly serverUrl: string;
  /** It takes what was given out for it alone, and says who gives it out. */
  readonly server: DemandingServer;
  /** Clients that somebody deleted: what was given out to them is over, too. */
  readonly deletedClients: Set<string>;
  /** As whoever logged in does it where he lists the applications that he let in. */
  revokeGrants(): Promise<void>;
  /** What it verifies assertions about robots with. */
  trust(keys: JSONWebKeySet): void;
  /** What it was told in the last token exchange. */
  readonly exchanged: Record<string, unknown>[];
  /** `METHOD /path` of every request to the authorization server. */
  readonly requests: readonly string[];
  /** The private key of the client `signer`, as a JWK. */
  readonly signerKey: string;
  /** Whether a token is still good. */
  isActive(token: string): Promise<boolean>;
  /** What it answers with an error (503) from now on: grant types, `revocation`; or does not publish: `revocation metadata`. */
  readonly failing: Set<string>;
  /**
   * Opens an address as a browser does, and agrees. Returns where it is sent at last, which is not opened. With the
   * cookies of an earlier time, it is the same person with the same grant, as far as the client is the same.
   */
  logIn(address: string, cookies?: Map<string, string>): Promise<string>;
  close(): Promise<void>;
}

export interface AuthorizationPeerOptions {
  /** Clients may be documents at an https address, which it reads and checks (client id metadata documents). */
  readonly readsDocuments?: boolean;
  /** Whoever asks is registered (RFC 7591). Absent: yes. */
  readonly registers?: boolean;
  /** Its answers name it, and it says so (RFC 9207). Absent: yes. */
  readonly namesItself?: boolean;
}

export async function startAuthorizationPeer({
  readsDocuments = false,
  registers = true,
  namesItself = true,
}: AuthorizationPeerOptions = {}): Promise<AuthorizationPeer> {
  const signer = await generateKeyPair("ES256", { extractable: true });
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const requests: string[] = [];
  const exchanged: Record<string, unknown>[] = [];
  const failing = new Set<string>();
  let trusted: JSONWebKeySet = { keys: [] };
  const http = createServer();
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

  const grants: string[] = [];
  const deletedClients = new Set<string>();
  const find = async (token: string): Promise<any> => {
    const found =
      (await provider.AccessToken.find(token)) ??
      (await provider.ClientCredentials.find(token)) ??
      (await provider.RefreshToken.find(token));
    return deletedClients.has(found?.clientId) ? undefined : found;
  };
  const server = await startDemandingServer({
    issuer,
    isWelcome: async (headers, url) => {
      const token = bearerOf(headers);
      const found = token === "" ? undefined : await find(token);
      return found?.aud === url && !found.isExpired;
    },
  });

  // It says that its adapter is one for development, which is known.
  const { info, warn } = console;
  console.info = console.warn = () => {};
  const machine = { redirect_uris: [], response_types: [], scope: "read" };
  const provider: any = new Provider(issuer, {
    clients: [
      {
        ...machine,
        client_id: "by-secret",
        client_secret: CLIENT_SECRET,
        grant_types: ["client_credentials", TOKEN_EXCHANGE],
      },
      {
        ...machine,
        client_id: "by-form",
        client_secret: CLIENT_SECRET,
        grant_types: ["client_credentials"],
        token_endpoint_auth_method: "client_secret_post",
      },
      {
        ...machine,
        client_id: "signer",
        grant_types: ["client_credentials"],
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "ES256",
        jwks: { keys: [{ ...(await exportJWK(signer.publicKey)), kid: "k1", use: "sig", alg: "ES256" }] },
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "RS256", use: "sig", kid: "peer" }] },
    scopes: ["read", "offline_access"],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      ClientCredentials: 600,
      AccessToken: 600,
      RefreshToken: 86_400,
      Grant: 86_400,
      Session: 600,
      Interaction: 600,
    },
    // It reaches no loopback address by itself, where everything of a test is.
    fetch: async (url: string, { dispatcher: _, ...options }: RequestInit & { dispatcher?: unknown }) =>
      fetch(url, options),
    renderError: async (ctx: any, error: unknown) => {
      ctx.body = error;
    },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_ctx: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: registers },
      clientIdMetadataDocument: { enabled: readsDocuments, ack: "draft-02" },
      revocation: { enabled: true, allowedPolicy: () => true },
      introspection: { enabled: true, allowedPolicy: () => true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => server.url,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx: unknown, wanted: string) => ({
          scope: "read",
          audience: wanted,
          accessTokenFormat: "opaque",
        }),
      },
    },
  });
  provider.registerGrantType(
    TOKEN_EXCHANGE,
    async (ctx: any) => {
      const { client, params } = ctx.oidc;
      const { payload } = await jwtVerify(params.subject_token, createLocalJWKSet(trusted), {
        audience: issuer,
        algorithms: ["ES256"],
        requiredClaims: ["sub", "exp", "jti"],
      });
      exchanged.push({ ...payload, resource: params.resource });
      const token = new provider.ClientCredentials({ client, scope: "read" });
      token.resourceServer = new provider.ResourceServer(params.resource, {
        scope: "read",
        audience: params.resource,
        accessTokenFormat: "opaque",
      });
      ctx.body = {
        access_token: await token.save(),
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        token_type: "Bearer",
        expires_in: token.expiration,
      };
    },
    ["subject_token", "subject_token_type", "requested_token_type", "audience", "resource", "scope"],
    ["audience", "resource"],
  );
  const findClient = provider.Client.find.bind(provider.Client);
  provider.Client.find = async (id: string) => (deletedClients.has(id) ? undefined : findClient(id));
  provider.use(async (ctx: any, next: () => Promise<void>) => {
    if (failing.has("revocation") && ctx.path === "/token/revocation") {
      ctx.status = 503;
      return;
    }
    await next();
    if (!namesItself) {
      delete ctx.body?.authorization_response_iss_parameter_supported;
      const location = URL.parse(ctx.response.get("location"), issuer);
      if (location?.searchParams.has("iss") === true) {
        location.searchParams.delete("iss");
        ctx.set("location", location.href);
      }
    }
    if (failing.has("revocation metadata")) delete ctx.body?.revocation_endpoint;
    if (failing.has(ctx.oidc?.params?.grant_type)) ctx.status = 503;
  });
  const answer = provider.callback();
  http.on("request", (request, response) => {
    requests.push(`${request.method} ${new URL(request.url ?? "/", issuer).pathname}`);
    if (request.url?.startsWith("/interaction/")) {
      void agree(provider, request, response).then((grant) => grant && grants.push(grant));
    } else void answer(request, response);
  });
  Object.assign(console, { info, warn });

  return {
    issuer,
    serverUrl: server.url,
    server,
    deletedClients,
    revokeGrants: async () => {
      for (const grant of grants.splice(0)) {
        await provider.Grant.adapter.destroy(grant);
        for (const model of [provider.AccessToken, provider.RefreshToken]) await model.revokeByGrantId(grant);
      }
    },
    trust: (keys) => {
      trusted = keys;
    },
    exchanged,
    requests,
    signerKey: JSON.stringify({ ...(await exportJWK(signer.privateKey)), kid: "k1", alg: "ES256" }),
    isActive: async (token) => {
      const found = await find(token);
      return found !== undefined && !found.isExpired;
    },
    failing,
    logIn: (address, cookies = new Map()) => browse(address, { issuer, cookies }),
    close: async () => {
      await server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** Returns the grant, once there is one. */
async function agree(provider: any, request: any, response: any): Promise<string | undefined> {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const accountId = session?.accountId ?? "robot@acme.example";
  if (prompt.name === "login") {
    await provider.interactionFinished(request, response, { login: { accountId } });
    return undefined;
  }
  // As its documentation has it: whoever agreed before has one grant, which grows.
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant = known ?? new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope("openid offline_access read");
  grant.addResourceScope(params.resource, "read");
  const agreed: string = await grant.save();
  await provider.interactionFinished(request, response, { consent: { grantId: agreed } });
  return agreed;
}

/** Follows redirects within the authorization server, with its cookies. */
async function browse(
  address: string,
  { issuer, cookies }: { readonly issuer: string; readonly cookies: Map<string, string> },
): Promise<string> {
  let next = address;
  for (let hops = 0; hops < 20 && next.startsWith(issuer); hops += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(next, { redirect: "manual", headers: { cookie } });
    for (const each of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(each) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null)
      throw new Error(`${next} led nowhere: ${response.status} ${await response.text()}`);
    next = new URL(location, next).href;
  }
  if (next.startsWith(issuer)) throw new Error(`nobody is ever logged in: ${next}`);
  return next;
}
