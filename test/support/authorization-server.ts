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
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { listenWeb } from "./web-listener.ts";

export const CLIENT_SECRET = "canary-of-the-client-0123456789abcdef";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

export interface AuthorizationPeer {
  readonly issuer: string;
  /** Of the protected MCP server. */
  readonly serverUrl: string;
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
  /** Opens an address as a browser does, and agrees. Returns where it is sent at last, which is not opened. */
  logIn(address: string): Promise<string>;
  close(): Promise<void>;
}

export async function startAuthorizationPeer(): Promise<AuthorizationPeer> {
  const signer = await generateKeyPair("ES256", { extractable: true });
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const requests: string[] = [];
  const exchanged: Record<string, unknown>[] = [];
  let trusted: JSONWebKeySet = { keys: [] };
  const http = createServer();
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

  const find = async (token: string): Promise<any> =>
    (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
  const resource = await startProtectedServer(issuer, async (token, url) => {
    const found = await find(token);
    return found?.aud === url && !found.isExpired;
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
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_ctx: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true, allowedPolicy: () => true },
      introspection: { enabled: true, allowedPolicy: () => true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource.url,
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
  const answer = provider.callback();
  http.on("request", (request, response) => {
    requests.push(`${request.method} ${new URL(request.url ?? "/", issuer).pathname}`);
    if (request.url?.startsWith("/interaction/")) {
      void agree(provider, request, response);
    } else void answer(request, response);
  });
  Object.assign(console, { info, warn });

  return {
    issuer,
    serverUrl: resource.url,
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
    logIn: (address) => browse(address, issuer),
    close: async () => {
      await resource.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function agree(provider: any, request: any, response: any): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const accountId = session?.accountId ?? "robot@acme.example";
  if (prompt.name === "login") {
    await provider.interactionFinished(request, response, { login: { accountId } });
    return;
  }
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope("openid offline_access read");
  grant.addResourceScope(params.resource, "read");
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

/** Follows redirects within the authorization server, with its cookies. */
async function browse(address: string, issuer: string): Promise<string> {
  const cookies = new Map<string, string>();
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

/** Refuses what its authorization server did not give out for it, and says where that is (RFC 9728). */
async function startProtectedServer(
  issuer: string,
  accepts: (token: string, url: string) => Promise<boolean>,
) {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "notes", version: "3.1.4" });
    const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });
    for (const name of ["list_notes", "read_note"]) {
      server.registerTool(name, { description: name, inputSchema: z.object({}) }, async () => text(name));
    }
    return server;
  });
  const listener = await listenWeb(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/.well-known/oauth-protected-resource/mcp") {
      return Response.json({ resource: url, authorization_servers: [issuer], scopes_supported: ["read"] });
    }
    const token = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token !== undefined && (await accepts(token, url))) return handler.fetch(request);
    const metadata = `${listener.url}/.well-known/oauth-protected-resource/mcp`;
    const challenge = `Bearer realm="notes", resource_metadata="${metadata}", scope="read"`;
    return new Response("who are you?", { status: 401, headers: { "www-authenticate": challenge } });
  });
  const url = `${listener.url}/mcp`;
  return {
    url,
    close: async () => {
      await handler.close();
      await listener.close();
    },
  };
}
