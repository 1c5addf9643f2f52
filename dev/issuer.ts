/**
 * A stand-in for GitHub's OIDC issuer: discovery, keys, and the endpoint at which a job asks for its token.
 * It signs with a real RSA key and answers only to the request token of a job it was told about.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import { z } from "zod";
import { claimsOfJob, type Job } from "./claims.ts";

/** GitHub's own tokens live five minutes. */
const TOKEN_LIFETIME_SECONDS = 300;

export interface DevIssuer {
  readonly url: string;
  /** What the runner puts into the environment of every step of a job with `id-token: write`. */
  admit(job: Job): { ACTIONS_ID_TOKEN_REQUEST_URL: string; ACTIONS_ID_TOKEN_REQUEST_TOKEN: string };
  /** A token outside the endpoint: `overrides` replace or (undefined) remove claims. */
  sign(job: Job, audience: string | string[], overrides?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

export interface DevIssuerOptions {
  readonly port: number;
  /** Where the key is kept, so that a restart stays the same issuer; absent: a key of its own for each start. */
  readonly keyFile?: string;
}

export async function startDevIssuer(options: DevIssuerOptions): Promise<DevIssuer> {
  const privateJwk = await readOrCreateKey(options.keyFile);
  const kid = await calculateJwkThumbprint(privateJwk);
  const key = await importJWK(privateJwk, "RS256");
  const jobs = new Map<string, Job>();
  const app = Fastify({ logger: false });
  const url = (): string => `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;

  const sign = async (
    job: Job,
    audience: string | string[],
    overrides: Record<string, unknown> = {},
  ): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    const claims: Record<string, unknown> = {
      jti: randomUUID(),
      ...claimsOfJob(job),
      aud: audience,
      iss: url(),
      nbf: now - 10,
      iat: now,
      exp: now + TOKEN_LIFETIME_SECONDS,
      ...overrides,
    };
    return new SignJWT(claims).setProtectedHeader({ typ: "JWT", alg: "RS256", kid }).sign(key);
  };

  app.get("/.well-known/openid-configuration", () => ({
    issuer: url(),
    jwks_uri: `${url()}/.well-known/jwks`,
    subject_types_supported: ["public", "pairwise"],
    response_types_supported: ["id_token"],
    id_token_signing_alg_values_supported: ["RS256"],
    scopes_supported: ["openid"],
  }));
  app.get("/.well-known/jwks", () => ({
    keys: [{ kty: privateJwk.kty, n: privateJwk.n, e: privateJwk.e, use: "sig", alg: "RS256", kid }],
  }));
  app.get("/idtoken", async (request, reply) => {
    const token = request.headers.authorization?.replace(/^bearer /i, "") ?? "";
    const job = jobs.get(token);
    if (job === undefined) return reply.code(401).send({ message: "The request token is not valid." });
    const query = z.object({ audience: z.string().optional() }).parse(request.query);
    const owner = job.repository.split("/")[0] ?? "";
    return { count: 1, value: await sign(job, query.audience ?? `https://github.com/${owner}`) };
  });

  await app.listen({ host: "127.0.0.1", port: options.port });
  return {
    url: url(),
    admit: (job) => {
      const token = randomBytes(32).toString("base64url");
      jobs.set(token, job);
      return {
        ACTIONS_ID_TOKEN_REQUEST_URL: `${url()}/idtoken?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: token,
      };
    },
    sign,
    close: () => app.close(),
  };
}

const PrivateRsaJwk = z.looseObject({ kty: z.literal("RSA"), n: z.string(), e: z.string(), d: z.string() });

async function readOrCreateKey(keyFile: string | undefined): Promise<JWK & { n: string; e: string }> {
  if (keyFile !== undefined && existsSync(keyFile)) {
    return PrivateRsaJwk.parse(JSON.parse(await readFile(keyFile, "utf8")));
  }
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = PrivateRsaJwk.parse(await exportJWK(privateKey));
  if (keyFile !== undefined) await writeFile(keyFile, JSON.stringify(jwk), { mode: 0o600, flag: "wx" });
  return jwk;
}
