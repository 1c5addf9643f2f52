/**
 * The keys that sign: one for access tokens (ES256), another for checkpoints and manifests (Ed25519).
 * Made at the first start, stored sealed; every replica on one database signs with the same ones.
 */
import {
  type CryptoKey,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
} from "jose";
import { z } from "zod";
import type { KeyPurpose, Queries, SigningKeyRow } from "../storage/schema.ts";
import { keepSigningKey, listSigningKeys } from "../storage/signing-keys.ts";
import type { SealingKey } from "./sealing-key.ts";

const ALGORITHMS: Record<KeyPurpose, "ES256" | "Ed25519"> = { token: "ES256", checkpoint: "Ed25519" };

const StoredJwk = z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string() });

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

export interface SigningKeys {
  readonly token: SigningKey;
  readonly checkpoint: SigningKey;
  /** Published: what checks access tokens. */
  readonly tokenKeys: JSONWebKeySet;
  /** Finds among them the one that a token names. */
  readonly findTokenKey: JWTVerifyGetKey;
  /** Published for ever: what checks checkpoints and manifests. */
  readonly checkpointKeys: JSONWebKeySet;
}

export interface SigningKeyStore {
  readonly database: Queries;
  readonly sealingKey: SealingKey;
  readonly now: () => number;
}

/** Throws `SealingKeyUnusable` when the stored keys were sealed with another sealing key. */
export async function loadSigningKeys(store: SigningKeyStore): Promise<SigningKeys> {
  const [token, checkpoint] = [await loadKeys("token", store), await loadKeys("checkpoint", store)];
  return {
    token: token.signing,
    checkpoint: checkpoint.signing,
    tokenKeys: token.published,
    findTokenKey: createLocalJWKSet(token.published),
    checkpointKeys: checkpoint.published,
  };
}

async function loadKeys(
  purpose: KeyPurpose,
  { database, sealingKey, now }: SigningKeyStore,
): Promise<{ signing: SigningKey; published: JSONWebKeySet }> {
  let rows = await listSigningKeys(database, purpose);
  if (rows.length === 0) {
    await keepSigningKey(database, await createKey(purpose, { sealingKey, at: now() }));
    rows = await listSigningKeys(database, purpose);
  }
  const newest = rows.at(-1);
  if (newest === undefined) {
    throw new Error(`the ${purpose} key that was just stored is not there`);
  }
  const opened = await sealingKey.open(sealPurpose(purpose), newest.sealed_private_jwk);
  const privateJwk = StoredJwk.parse(JSON.parse(Buffer.from(opened).toString("utf8")));
  const privateKey = await importJWK(privateJwk, privateJwk.alg);
  if (privateKey instanceof Uint8Array) {
    throw new TypeError(`the stored ${purpose} key is not a private key`);
  }
  const published = { keys: rows.map((row): JWK => StoredJwk.parse(JSON.parse(row.public_jwk))) };
  return { signing: { kid: newest.kid, privateKey }, published };
}

async function createKey(
  purpose: KeyPurpose,
  { sealingKey, at }: { sealingKey: SealingKey; at: number },
): Promise<SigningKeyRow> {
  const alg = ALGORITHMS[purpose];
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const privateJwk = { ...(await exportJWK(privateKey)), kid, alg };
  return {
    kid,
    purpose,
    serial: 1,
    public_jwk: JSON.stringify({ ...publicJwk, kid, alg, use: "sig" }),
    sealed_private_jwk: await sealingKey.seal(sealPurpose(purpose), Buffer.from(JSON.stringify(privateJwk))),
    created_at: at,
  };
}

const sealPurpose = (purpose: KeyPurpose): string => `signing key: ${purpose}`;
