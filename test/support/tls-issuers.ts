/**
 * Issuers under their true names, over real TLS, at a port of this machine: each name has the certificate that it is
 * given, and publishes what GitHub publishes there. Whoever asks is led here by `divert`, after it has resolved the
 * name and checked the address as ever.
 */
import { request } from "node:https";
import { type Server, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext } from "node:tls";
import { SignJWT } from "jose";
import type { RequestTls } from "../../broker/egress/guarded-request.ts";
import type { IssuedCertificate } from "./certificates.ts";
import { createIssuerKey } from "./scripted-issuer.ts";

export interface TlsIssuers {
  readonly port: number;
  /** `jwksPath` is below the issuer: GitHub's own is `/.well-known/jwks`. */
  add(issuer: string, certificate: IssuedCertificate, jwksPath?: string): Promise<void>;
  sign(issuer: string, claims: Record<string, unknown>): Promise<string>;
  /** What was asked for, as `https://host/path`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function startTlsIssuers(): Promise<TlsIssuers> {
  const certificates = new Map<string, IssuedCertificate>();
  const documents = new Map<string, object>();
  const keys = new Map<string, Awaited<ReturnType<typeof createIssuerKey>>>();
  const asked: string[] = [];
  const server: Server = createServer(
    {
      SNICallback: (name, done) => {
        const certificate = certificates.get(name);
        if (certificate === undefined) done(new Error(`nobody is called ${name}`));
        else done(null, createSecureContext(certificate));
      },
    },
    (incoming, response) => {
      const host = (incoming.headers.host ?? "").replace(/:[0-9]+$/, "");
      const url = `https://${host}${incoming.url}`;
      asked.push(url);
      const document = documents.get(url);
      response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(document ?? {}));
    },
  );
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    async add(issuer, certificate, jwksPath = "/.well-known/jwks") {
      certificates.set(new URL(issuer).hostname, certificate);
      const key = await createIssuerKey("RS256", `key of ${issuer}`);
      keys.set(issuer, key);
      documents.set(`${issuer}${jwksPath}`, { keys: [key.jwk] });
      documents.set(`${issuer}/.well-known/openid-configuration`, {
        issuer,
        jwks_uri: `${issuer}${jwksPath}`,
        id_token_signing_alg_values_supported: ["RS256"],
      });
    },
    async sign(issuer, claims) {
      const key = keys.get(issuer);
      if (key === undefined) throw new Error(`${issuer} is not one of these`);
      return new SignJWT(claims)
        .setProtectedHeader({ typ: "JWT", alg: "RS256", kid: `key of ${issuer}` })
        .sign(key.privateKey);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Connects to this port in place of the address that was found, once that one was found good. */
export function divert(port: number): RequestTls {
  return (url, options) =>
    request(url, {
      ...options,
      port,
      lookup: (host, lookupOptions, done) =>
        options.lookup?.(host, lookupOptions, (error) => {
          if (error !== null) done(error, "");
          else if (lookupOptions.all === true) done(null, [{ address: "127.0.0.1", family: 4 }]);
          else done(null, "127.0.0.1", 4);
        }),
    });
}
