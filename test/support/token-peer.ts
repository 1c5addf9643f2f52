/**
 * An authorization server as credentials meet it: metadata, a token endpoint that rotates refresh tokens and ends a whole
 * family when one of them comes back, token exchange, and revocation (RFC 7009). It counts what it is asked.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface TokenPeer {
  readonly url: string;
  /** The grant that a person gave: its refresh token, as it is now. */
  refreshToken: string;
  /** A refresh token came back: the family is over. */
  familyIsOver: boolean;
  readonly refreshed: string[];
  readonly exchanged: string[];
  readonly revoked: string[];
  /** Of clients: what they showed of themselves, by Basic. */
  readonly proofs: string[];
  /** Of the access tokens that it gives out. */
  expiresIn: number;
  /** Waited for before the token endpoint answers, once the token is made. */
  beforeAnswer: (() => Promise<void>) | undefined;
  /** Waited for before the metadata are answered, and before a token is revoked. */
  beforeMetadata: (() => unknown) | undefined;
  beforeRevocation: (() => Promise<void>) | undefined;
  /** Answers of the revocation endpoint in place of 200. */
  revocationStatus: number;
  /** Answers of the token endpoint in place of a token. */
  tokenStatus: number;
  close(): Promise<void>;
}

export async function startTokenPeer(): Promise<TokenPeer> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const peer: TokenPeer = {
    url,
    refreshToken: `refresh-${randomBytes(12).toString("hex")}`,
    familyIsOver: false,
    ...{ refreshed: [], exchanged: [], revoked: [], proofs: [] },
    ...{ expiresIn: 600, beforeAnswer: undefined, revocationStatus: 200, tokenStatus: 200 },
    ...{ beforeMetadata: undefined, beforeRevocation: undefined },
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
  const used = new Set<string>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const json = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(JSON.stringify(body));
    };
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const { authorization } = request.headers;
    if (authorization !== undefined) peer.proofs.push(authorization.replace("Basic ", ""));
    if (request.url === "/.well-known/oauth-authorization-server") {
      await peer.beforeMetadata?.();
      const endpoints = { token_endpoint: `${url}/token`, revocation_endpoint: `${url}/revoke` };
      json(200, { issuer: url, ...endpoints, response_types_supported: ["code"] });
    } else if (request.url === "/revoke") {
      await peer.beforeRevocation?.();
      if (peer.revocationStatus === 200) peer.revoked.push(form.get("token") ?? "");
      response.writeHead(peer.revocationStatus).end();
    } else if (request.url === "/token") {
      const token = `access-${randomBytes(12).toString("hex")}`;
      const issued = { access_token: token, token_type: "Bearer", expires_in: peer.expiresIn };
      if (peer.tokenStatus !== 200) return json(peer.tokenStatus, { error: "temporarily_unavailable" });
      if (form.get("grant_type") === "refresh_token") {
        const given = form.get("refresh_token") ?? "";
        if (used.has(given)) peer.familyIsOver = true;
        if (peer.familyIsOver || given !== peer.refreshToken) return json(400, { error: "invalid_grant" });
        used.add(given);
        peer.refreshToken = `refresh-${randomBytes(12).toString("hex")}`;
        peer.refreshed.push(token);
        await peer.beforeAnswer?.();
        return json(200, { ...issued, refresh_token: peer.refreshToken });
      }
      peer.exchanged.push(token);
      await peer.beforeAnswer?.();
      json(200, { ...issued, issued_token_type: "urn:ietf:params:oauth:token-type:access_token" });
    } else {
      json(404, { error: "not_found" });
    }
  };
  return peer;
}
