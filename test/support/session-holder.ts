/**
 * The proxy's side of the contract with the broker, and nothing of a proxy: a key, proofs, requests, a chain of records.
 * It returns answers as they come, whatever they are: what is expected of them is the test's to say.
 */
import { createHash, randomUUID } from "node:crypto";
import { type CryptoKey, SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { Chain } from "../../audit/chain.ts";
import type { AuditRecord, Entry } from "../../audit/record.ts";
import { packSegment } from "../../audit/segment.ts";
import type { SegmentRequest } from "../../broker/contract.ts";
import type { TestBroker } from "./broker.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Read as it comes: what is expected of it is the check.

  readonly body: any;
}

/** A broker as it is reached: at its public URL. */
export type Desk = Pick<TestBroker, "url" | "now" | "subjectToken">;

export interface ProofOverrides {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  readonly key?: CryptoKey;
}

/** A key pair that proves itself. */
export class Holder {
  readonly #privateKey: CryptoKey;
  readonly jwk: Record<string, unknown>;
  readonly thumbprint: string;
  accessToken = "";

  private constructor(privateKey: CryptoKey, jwk: Record<string, unknown>, thumbprint: string) {
    this.#privateKey = privateKey;
    this.jwk = jwk;
    this.thumbprint = thumbprint;
  }

  static async create(): Promise<Holder> {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const jwk = await exportJWK(publicKey);
    return new Holder(privateKey, { ...jwk }, await calculateJwkThumbprint(jwk));
  }

  async prove(
    { method, url, now, accessToken }: { method: string; url: string; now: number; accessToken?: string },
    { claims = {}, header = {}, key }: ProofOverrides = {},
  ): Promise<string> {
    const ath = accessToken && { ath: createHash("sha256").update(accessToken).digest("base64url") };
    const iat = Math.floor(now / 1000);
    return new SignJWT({ jti: randomUUID(), htm: method, htu: url, iat, ...ath, ...claims })
      .setProtectedHeader({ typ: "dpop+jwt", alg: "ES256", jwk: this.jwk, ...header })
      .sign(key ?? this.#privateKey);
  }
}

export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json") === true;
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}

export interface ExchangeOverrides {
  readonly subjectToken?: string;
  readonly form?: Record<string, string | undefined>;
  /** In place of a proof made for the request; null sends none. */
  readonly proof?: string | null;
}

/** `POST /token`; on success the holder keeps the access token. */
export async function exchange(
  on: Desk,
  holder: Holder,
  { subjectToken, form = {}, proof }: ExchangeOverrides = {},
): Promise<Answer> {
  const url = `${on.url}/token`;
  const parameters = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: subjectToken ?? (await on.subjectToken()),
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    resource: on.url,
    scope: "robot:acme/payments/triager",
    ...form,
  };
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) body.append(name, value);
  }
  const dpop = proof === undefined ? await holder.prove({ method: "POST", url, now: on.now() }) : proof;
  const headers: Record<string, string> = dpop === null ? {} : { dpop };
  const answer = await readAnswer(await fetch(url, { method: "POST", body, headers }));
  if (answer.status === 200) holder.accessToken = answer.body.access_token;
  return answer;
}

export interface CallOverrides {
  readonly proof?: string | null;
  readonly accessToken?: string;
}

/** An endpoint that wants token and proof: `call(on, holder, "POST /session/seal", {...})`. */
export async function call(
  on: Desk,
  holder: Holder,
  ...[target, content, overrides = {}]: [target: string, content?: unknown, overrides?: CallOverrides]
): Promise<Answer> {
  const [method = "", path = ""] = target.split(" ");
  const url = `${on.url}${path}`;
  const accessToken = overrides.accessToken ?? holder.accessToken;
  const proof =
    overrides.proof === undefined
      ? await holder.prove({ method, url, now: on.now(), accessToken })
      : overrides.proof;
  return readAnswer(
    await fetch(url, {
      method,
      headers: {
        authorization: `DPoP ${accessToken}`,
        ...(proof === null ? {} : { dpop: proof }),
        ...(content === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    }),
  );
}

export interface Segment {
  readonly request: SegmentRequest;
  readonly body: Buffer;
  readonly records: readonly AuditRecord[];
  readonly text: string;
}

/** Writes a log as a proxy does: records in a chain, cut into segments. */
export class LogWriter {
  readonly #chain = new Chain();
  readonly #now: () => number;
  #segments = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  write(entries: readonly Entry[]): { records: AuditRecord[]; text: string } {
    const written = entries.map((entry) => this.#chain.append(entry, new Date(this.#now())));
    return { records: written.map(({ record }) => record), text: written.map(({ line }) => line).join("") };
  }

  async segment(entries: readonly Entry[]): Promise<Segment> {
    const { records, text } = this.write(entries);
    const { body, sha256, md5 } = await packSegment(text);
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) throw new Error("a segment has records");
    this.#segments += 1;
    const request = {
      segment: this.#segments,
      bytes: body.length,
      sha256,
      md5,
      first_seq: first.seq,
      last_seq: last.seq,
      prev: first.prev,
      head: last.hash,
    };
    return { request, body, records, text };
  }
}

export function note(event: string): Entry {
  return { kind: "event", event, severity: "info", detail: {} };
}

export const SEAL: Entry = {
  kind: "seal",
  reason: "test",
  totals: { calls: 0, allowed: 0, denied: 0, failed: 0 },
};

/** The genesis that belongs to a session document. */

export function genesisOf(on: Desk, document: any): Entry {
  return {
    kind: "genesis",
    session: document.session,
    broker: on.url,
    robot: document.robot,
    roles: document.roles,
    workload: document.workload,
    claims: document.claims,
    policy: document.policy.digest,
    proxy: { version: "0.0.0", bundle: "0".repeat(64) },
    agents: ["agent"],
    servers: [],
    isolation: "none",
    posture: { platform: "linux", arch: "x64", node: "24", user_id: 0, runner_environment: "github-hosted" },
  };
}

/** Announces a segment; the answer says where to upload it. */
export async function announce(on: Desk, holder: Holder, { request }: Segment): Promise<Answer> {
  return call(on, holder, "POST /session/segments", request);
}

export async function upload(
  { url, headers }: { url: string; headers: Record<string, string> },
  body: Uint8Array,
): Promise<Answer> {
  return readAnswer(await fetch(url, { method: "PUT", headers, body: Buffer.from(body) }));
}
