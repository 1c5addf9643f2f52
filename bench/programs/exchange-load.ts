/**
 * The load of the exchange bench, and the issuer of its subject tokens. Each exchange is of a job of its own, with its
 * own key; tokens and proofs are made before the clock starts, so that only their verification counts.
 */
import { randomUUID } from "node:crypto";
import { type CryptoKey, type JWK, SignJWT, exportJWK, generateKeyPair } from "jose";
import { z } from "zod";
import { startDevIssuer } from "../../dev/issuer.ts";
import { percentile } from "../measurement.ts";
import { ExchangeLoadRequest, type ExchangeLoadResult } from "../program-contract.ts";
import { CLIENT_ID } from "./exchange-issuer.ts";
import { describeAnswer } from "./mcp-session.ts";
import { serveParent } from "./parent.ts";
import { type RawAnswer, RawConnection } from "./raw-connection.ts";
import { describeJob } from "./sample-job.ts";

/** A proof is good for half a minute before and after its `iat`: so that a slow machine can send the last one, too. */
const PROOF_AHEAD_SECONDS = 20;

const Granted = z.looseObject({ access_token: z.string().min(1), token_type: z.literal("DPoP") });

const issuer = await startDevIssuer({ port: 0 });
let jobs = 0;

async function measure(request: ExchangeLoadRequest): Promise<ExchangeLoadResult> {
  const url = new URL(request.url);
  const connections = await Promise.all(
    Array.from({ length: request.connections }, () => RawConnection.open(url)),
  );
  try {
    const messages = await prepareRequests(request);
    const latencies: number[] = [];
    const tokens = new Set<string>();
    let refusal: string | undefined;
    let next = 0;
    const keepExchanging = async (connection: RawConnection): Promise<void> => {
      for (let message = messages[next]; message !== undefined; message = messages[next]) {
        next += 1;
        const start = performance.now();
        const answer = await connection.exchange(message);
        latencies.push((performance.now() - start) * 1000);
        const token = readToken(answer);
        if (token === undefined) refusal ??= describeAnswer(answer);
        else tokens.add(token);
        if (/\r\nconnection: close/i.test(answer.head)) return;
      }
    };
    const start = performance.now();
    await Promise.all(
      connections.map((connection) =>
        keepExchanging(connection).catch((error: unknown) => {
          refusal ??= error instanceof Error ? error.message : String(error);
        }),
      ),
    );
    const elapsed = performance.now() - start;
    if (latencies.length === 0) throw new Error(`nothing was answered: ${refusal}`);
    const ascending = Float64Array.from(latencies).sort();
    return {
      elapsed_ms: elapsed,
      p50_us: percentile(ascending, 0.5),
      p99_us: percentile(ascending, 0.99),
      accepted: tokens.size,
      ...(refusal === undefined ? {} : { refusal }),
    };
  } finally {
    for (const connection of connections) connection.close();
  }
}

function readToken({ status, body }: RawAnswer): string | undefined {
  if (status !== 200) return undefined;
  return Granted.safeParse(JSON.parse(body.toString())).data?.access_token;
}

interface ProofKey {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** Whole requests, the proofs last: they age fastest. */
async function prepareRequests(request: ExchangeLoadRequest): Promise<string[]> {
  const { origin } = new URL(request.url);
  const each = Array.from({ length: request.exchanges });
  const keys = await Promise.all(each.map(createKey));
  const bodies = await Promise.all(
    each.map(async () => {
      jobs += 1;
      return request.presented_as === "subject_token"
        ? writeExchange(await issuer.sign(describeJob(jobs), origin), origin)
        : writeAssertion(await issuer.sign(describeJob(jobs), origin, { iss: CLIENT_ID, sub: CLIENT_ID }));
    }),
  );
  const proofs = await Promise.all(keys.map((key) => signProof(key, request.url)));
  return bodies.map((body, index) => writeRequest(request.url, { body, proof: proofs[index] ?? "" }));
}

async function createKey(): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  return { privateKey, jwk: await exportJWK(publicKey) };
}

async function signProof({ privateKey, jwk }: ProofKey, url: string): Promise<string> {
  const iat = Math.floor(Date.now() / 1000) + PROOF_AHEAD_SECONDS;
  return new SignJWT({ jti: randomUUID(), htm: "POST", htu: url, iat })
    .setProtectedHeader({ typ: "dpop+jwt", alg: "ES256", jwk })
    .sign(privateKey);
}

/** RFC 8693. */
function writeExchange(token: string, resource: string): string {
  return new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: token,
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    resource,
    scope: "robot:acme/payments/triager",
  }).toString();
}

/** RFC 7523, section 2.2. */
function writeAssertion(token: string): string {
  return new URLSearchParams({
    grant_type: "client_credentials",
    client_assertion: token,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    scope: "robot",
  }).toString();
}

function writeRequest(url: string, { body, proof }: { body: string; proof: string }): string {
  const { host, pathname } = new URL(url);
  return [
    `POST ${pathname} HTTP/1.1`,
    `host: ${host}`,
    "content-type: application/x-www-form-urlencoded",
    `content-length: ${Buffer.byteLength(body)}`,
    `dpop: ${proof}`,
    "",
    body,
  ].join("\r\n");
}

await serveParent({ issuer: issuer.url }, async (question) => measure(ExchangeLoadRequest.parse(question)));
