/**
 * A signing key as it is stored: sealed as a JWE whose authenticated header names its purpose and its `kid`.
 * Nothing else of a row is believed: one that was swapped, relabelled, or put there by somebody without the sealing
 * key does not open, so that whoever can only write to the database can neither sign nor have a key published.
 */
import {
  type CryptoKey,
  type JWK,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
} from "jose";
import { z } from "zod";
import type { KeyPurpose, SigningKeyRow } from "../storage/schema.ts";
import { type SealingKey, SealingKeyUnusable } from "./sealing-key.ts";

const ALGORITHMS: Record<KeyPurpose, "ES256" | "Ed25519"> = { token: "ES256", checkpoint: "Ed25519" };

const SealedJwk = z.strictObject({
  kty: z.string(),
  crv: z.string(),
  x: z.string(),
  y: z.string().optional(),
  kid: z.string(),
  alg: z.string(),
  /** Absent once the key signs no more. */
  d: z.string().optional(),
  /** Milliseconds since the epoch. Under the seal, so that whoever can only write to the database cannot take it back. */
  distrusted_at: z.int().optional(),
});
type SealedJwk = z.infer<typeof SealedJwk>;

export interface OpenedKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  /** Undefined once the key signs no more and its private half was destroyed. */
  readonly privateKey: CryptoKey | undefined;
}

export interface KeyOrigin {
  readonly sealingKey: SealingKey;
  /** Counted from 1 per purpose. */
  readonly serial: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export async function createKey(
  purpose: KeyPurpose,
  { sealingKey, serial, at }: KeyOrigin,
): Promise<SigningKeyRow> {
  const jwk = await generateJwk(ALGORITHMS[purpose]);
  return {
    kid: jwk.kid,
    purpose,
    serial,
    public_jwk: JSON.stringify(publish(jwk)),
    sealed_private_jwk: await sealJwk(jwk, { purpose, sealingKey }),
    created_at: at,
    distrusted_at: null,
  };
}

/** One in 64 would have a name that begins with a dash, which a command takes for an option where somebody types it. */
async function generateJwk(alg: string): Promise<SealedJwk> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  if (kid.startsWith("-")) return generateJwk(alg);
  return SealedJwk.parse({ ...(await exportJWK(privateKey)), kid, alg });
}

/** Throws `SealingKeyUnusable` when the row is not what was sealed under this key, purpose and `kid`. */
export async function openKey(row: SigningKeyRow, sealingKey: SealingKey): Promise<OpenedKey> {
  const jwk = await openJwk(row, sealingKey);
  const publicJwk = publish(jwk);
  const privateKey = jwk.d === undefined ? undefined : await importJWK({ ...publicJwk, d: jwk.d }, jwk.alg);
  if (privateKey instanceof Uint8Array) {
    throw new TypeError(`the stored ${row.purpose} key is not a private key`);
  }
  return { kid: row.kid, publicJwk, privateKey };
}

/** The row without its private half: what it signed still verifies, and nobody can sign with it any more. */
export async function destroyPrivateHalf(row: SigningKeyRow, sealingKey: SealingKey): Promise<SigningKeyRow> {
  const { d: _, ...jwk } = await openJwk(row, sealingKey);
  return { ...row, sealed_private_jwk: await sealJwk(jwk, { purpose: row.purpose, sealingKey }) };
}

/** The row as of a key that must not sign any more, and whose signatures count for nothing from then on. */
export async function distrustKeyRow(
  row: SigningKeyRow,
  { sealingKey, at }: Pick<KeyOrigin, "sealingKey" | "at">,
): Promise<SigningKeyRow> {
  const { d: _, ...jwk } = await openJwk(row, sealingKey);
  const sealed = await sealJwk({ ...jwk, distrusted_at: at }, { purpose: row.purpose, sealingKey });
  return { ...row, sealed_private_jwk: sealed, distrusted_at: at };
}

async function openJwk(row: SigningKeyRow, sealingKey: SealingKey): Promise<SealedJwk> {
  const opened = await sealingKey.open(sealPurpose(row), row.sealed_private_jwk);
  const jwk = SealedJwk.parse(JSON.parse(Buffer.from(opened).toString("utf8")));
  const { kid, alg } = jwk;
  if (
    kid !== row.kid ||
    alg !== ALGORITHMS[row.purpose] ||
    (jwk.distrusted_at ?? null) !== row.distrusted_at ||
    kid !== (await calculateJwkThumbprint(publish(jwk)))
  ) {
    throw new SealingKeyUnusable(`what is stored as the ${row.purpose} key ${row.kid} is another key`);
  }
  return jwk;
}

function sealJwk(
  jwk: SealedJwk,
  { purpose, sealingKey }: { purpose: KeyPurpose; sealingKey: SealingKey },
): Promise<string> {
  return sealingKey.seal(sealPurpose({ purpose, kid: jwk.kid }), Buffer.from(JSON.stringify(jwk)));
}

export const sealPurpose = ({ purpose, kid }: Pick<SigningKeyRow, "purpose" | "kid">): string =>
  `signing key: ${purpose} ${kid}`;

/** `revoked` is the member that OpenID Federation 1.0, section 8.7.2, has for keys of the past; `revoked_at` in seconds. */
function publish({ d: _, y, distrusted_at: at, ...jwk }: SealedJwk): JWK & { revoked?: object } {
  const revoked =
    at === undefined ? {} : { revoked: { revoked_at: Math.floor(at / 1000), reason: "compromised" } };
  return { ...jwk, ...(y === undefined ? {} : { y }), use: "sig", ...revoked };
}
