/**
 * An OIDC issuer whose every answer a test decides: a real HTTP server, real keys, and a count of what was fetched.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, type JWK, base64url, CompactSign, exportJWK, generateKeyPair } from "jose";

export interface IssuerKey {
  readonly privateKey: CryptoKey;
  /** With `kid`, `alg` and `use`, as it is published. */
  readonly jwk: JWK;
}

export interface ScriptedIssuer {
  readonly url: string;
  readonly key: IssuerKey;
  /** What is published; replace members to rotate. */
  keys: JWK[];
  /** Members that replace those of the discovery document. */
  discovery: Record<string, unknown>;
  /** Answers in place of a document. */
  answerDiscovery: ((response: ServerResponse) => void) | undefined;
  answerKeys: ((response: ServerResponse) => void) | undefined;
  readonly fetched: { discovery: number; keys: number };
  /** The port it listens on at 127.0.0.1, whatever its URL says. */
  readonly port: number;
  /** A token with these claims; `header` members replace the usual ones, undefined removes one. */
  sign(claims: Record<string, unknown>, options?: SignOptions): Promise<string>;
  close(): Promise<void>;
}

interface SignOptions {
  readonly key?: CryptoKey;
  readonly header?: Record<string, unknown>;
}

export async function createIssuerKey(
  alg = "RS256",
  kid = "key-1",
  modulusLength?: number,
): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, {
    extractable: true,
    ...(modulusLength === undefined ? {} : { modulusLength }),
  });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export interface ScriptedIssuerOptions {
  /** The host in its URL; it listens on 127.0.0.1 all the same. */
  readonly host?: string;
  /** What follows the host in its URL: `/acme`, `/_services/token`. */
  readonly path?: string;
  /** Where its keys are, below its URL. */
  readonly keysPath?: string;
}

/** Making an RSA key takes a third of a second: the usual one is made once. */
let usualKey: Promise<IssuerKey> | undefined;

export async function startScriptedIssuer({
  host = "127.0.0.1",
  path = "",
  keysPath = "/keys",
}: ScriptedIssuerOptions = {}): Promise<ScriptedIssuer> {
  usualKey ??= createIssuerKey();
  const key = await usualKey;
  const server = createServer((request, response) => {
    const send = (body: unknown): void => void response.end(JSON.stringify(body));
    response.setHeader("content-type", "application/json");
    if (request.url === `${path}/.well-known/openid-configuration`) {
      issuer.fetched.discovery += 1;
      if (issuer.answerDiscovery !== undefined) return issuer.answerDiscovery(response);
      return send({ issuer: issuer.url, jwks_uri: `${issuer.url}${keysPath}`, ...issuer.discovery });
    }
    if (request.url === `${path}${keysPath}`) {
      issuer.fetched.keys += 1;
      if (issuer.answerKeys !== undefined) return issuer.answerKeys(response);
      return send({ keys: issuer.keys });
    }
    response.statusCode = 404;
    response.end();
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  const issuer: ScriptedIssuer = {
    url: `http://${host}:${port}${path}`,
    port,
    key,
    keys: [key.jwk],
    discovery: {},
    answerDiscovery: undefined,
    answerKeys: undefined,
    fetched: { discovery: 0, keys: 0 },
    sign: async (claims, options = {}) => {
      const header = definedOf({ typ: "JWT", alg: "RS256", kid: key.jwk.kid, ...options.header });
      return new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader(header as { alg: string })
        .sign(options.key ?? key.privateKey);
    },
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
  return issuer;
}

/** Header and payload as written, signature as given: for what no library would sign. */
export function assembleToken(header: unknown, payload: unknown, signature: string): string {
  const encode = (value: unknown): string =>
    base64url.encode(typeof value === "string" ? value : JSON.stringify(value));
  return `${encode(header)}.${encode(payload)}.${signature}`;
}

function definedOf(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
