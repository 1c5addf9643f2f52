/**
 * The least that an exchange can cost: a bare HTTP server that verifies the signatures of the subject token (RS256) and
 * of the proof (ES256) and signs an access token (ES256), all with jose. It checks nothing else and remembers nothing.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { EmbeddedJWK, SignJWT, createLocalJWKSet, generateKeyPair, jwtVerify } from "jose";
import { SubjectIssuer } from "../program-contract.ts";
import { fetchKeySet } from "./exchange-issuer.ts";
import { readOptions, serveParent } from "./parent.ts";

const LIFETIME_SECONDS = 900;

const { issuer } = readOptions(SubjectIssuer);
const findKey = createLocalJWKSet(await fetchKeySet(issuer));
const { privateKey } = await generateKeyPair("ES256");

async function exchange(form: URLSearchParams, proof: string): Promise<string> {
  const { payload } = await jwtVerify(form.get("subject_token") ?? "", findKey, { algorithms: ["RS256"] });
  await jwtVerify(proof, EmbeddedJWK, { algorithms: ["ES256"] });
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ scope: form.get("scope"), act: { sub: payload.sub } })
    .setProtectedHeader({ typ: "at+jwt", alg: "ES256" })
    .setIssuer(url)
    .setAudience(url)
    .setSubject("robot")
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + LIFETIME_SECONDS)
    .sign(privateKey);
  return JSON.stringify({ access_token: token, token_type: "DPoP", expires_in: LIFETIME_SECONDS });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(request, "end");
  return Buffer.concat(chunks).toString();
}

const server = createServer((request, response) => {
  const answered = async (): Promise<void> => {
    const form = new URLSearchParams(await readBody(request));
    const body = await exchange(form, String(request.headers["dpop"]));
    response
      .writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
      .end(body);
  };
  answered().catch((error: unknown) => response.writeHead(400).end(String(error)));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
await serveParent({ url: `${url}/token` });
