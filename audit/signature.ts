/**
 * The broker's signatures under checkpoints and manifests: JWS with Ed25519, each with a `typ` of its own, so that
 * none can stand for another. A signature has one spelling: any change of any of its characters is noticed.
 * What says that it was signed after its key was distrusted (`revoked` in the key set) is refused.
 */
import {
  base64url,
  type CryptoKey,
  CompactSign,
  compactVerify,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
} from "jose";
import * as z from "zod/mini";
import { CanonicalError, canonicalize } from "./canonical.ts";
import { CheckpointClaims, Manifest } from "./manifest.ts";

const CHECKPOINT_TYPE = "lanyard-checkpoint+jwt";
const MANIFEST_TYPE = "lanyard-manifest+jwt";
/** RFC 9864, section 2.2. */
const ALGORITHM = "Ed25519";

/** A key that signs checkpoints and manifests; it signs nothing else. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/** Why something signed is not believed. `member` is what is wrong in a document, where that is known. */
export interface SignatureRefusal {
  readonly ok: false;
  readonly code: "malformed" | "key_unknown" | "key_distrusted" | "signature";
  readonly message: string;
  readonly member?: string;
}

export type CheckpointReading =
  | { readonly ok: true; claims: CheckpointClaims; kid: string }
  | SignatureRefusal;

/** A manifest that is refused is handed over where it can be read: to find out what was changed, never to be believed. */
export type ManifestReading =
  | { readonly ok: true; manifest: Manifest; kid: string }
  | (SignatureRefusal & { manifest?: Manifest });

export type UnsignedManifest = Omit<Manifest, "signature">;

export async function signCheckpoint(claims: CheckpointClaims, key: SigningKey): Promise<string> {
  return sign(canonicalize(CheckpointClaims.parse(claims)), CHECKPOINT_TYPE, key);
}

export async function verifyCheckpoint(jws: string, keys: JSONWebKeySet): Promise<CheckpointReading> {
  const verified = await verify(jws, CHECKPOINT_TYPE, keys);
  if (!verified.ok) {
    return verified;
  }
  const claims = parseDocument(verified.payload, CheckpointClaims);
  if (!claims.ok) {
    return claims;
  }
  return findDistrust(verified, claims.value.iat) ?? { ok: true, claims: claims.value, kid: verified.kid };
}

export async function signManifest(unsigned: UnsignedManifest, key: SigningKey): Promise<Manifest> {
  const jws = await sign(canonicalize(unsigned), MANIFEST_TYPE, key);
  const [header, , signature] = jws.split(".");
  return Manifest.parse({ ...unsigned, signature: `${header}..${signature}` });
}

/** The bytes of a manifest as they are stored. */
export function serializeManifest(manifest: Manifest): string {
  return `${canonicalize(manifest)}\n`;
}

export async function verifyManifest(bytes: Uint8Array, keys: JSONWebKeySet): Promise<ManifestReading> {
  const parsed = parseDocument(bytes, Manifest);
  if (!parsed.ok) {
    return parsed;
  }
  const manifest = parsed.value;
  if (!Buffer.from(serializeManifest(manifest)).equals(bytes)) {
    return { ...refuse("malformed", "it is not in its canonical form"), manifest };
  }
  const { signature, ...unsigned } = manifest;
  const [header, payload, signed, ...more] = signature.split(".");
  if (header === undefined || signed === undefined || payload !== "" || more.length > 0) {
    return { ...refuse("malformed", "it is no JWS with a detached payload"), member: "signature", manifest };
  }
  const jws = `${header}.${base64url.encode(canonicalize(unsigned))}.${signed}`;
  const verified = await verify(jws, MANIFEST_TYPE, keys);
  if (!verified.ok) {
    return { ...verified, manifest };
  }
  const distrusted = findDistrust(verified, Date.parse(manifest.written_at) / 1000);
  return distrusted === undefined ? { ok: true, manifest, kid: verified.kid } : { ...distrusted, manifest };
}

async function sign(payload: string, typ: string, { kid, privateKey }: SigningKey): Promise<string> {
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: ALGORITHM, typ, kid })
    .sign(privateKey);
}

interface VerifiedSignature {
  readonly ok: true;
  readonly payload: Uint8Array;
  readonly kid: string;
  /** Seconds since the epoch; undefined: the key is trusted. */
  readonly distrustedFrom: number | undefined;
}
type Verified = VerifiedSignature | SignatureRefusal;

const SignatureHeader = z.strictObject({ alg: z.literal(ALGORITHM), typ: z.string(), kid: z.string() });

async function verify(jws: string, typ: string, keys: JSONWebKeySet): Promise<Verified> {
  const header = readHeader(jws);
  if (header?.typ !== typ || !isCanonicalBase64(jws)) {
    return refuse("malformed", `it is no ${typ} signed with ${ALGORITHM}`);
  }
  const { kid } = header;
  // Its curve tells what a key is for; its own `alg` may still be the older name of the same, EdDSA.
  const usable = keys.keys
    .filter((key) => key.kid === kid && key.kty === "OKP" && key.crv === "Ed25519")
    .map(({ alg: _alg, ...key }) => key);
  if (usable.length === 0) {
    return refuse("key_unknown", `it is signed with the key ${kid}, which is not among the given keys`);
  }
  try {
    const { payload } = await compactVerify(jws, createLocalJWKSet({ keys: usable }), {
      algorithms: [ALGORITHM],
    });
    return { ok: true, payload, kid, distrustedFrom: readDistrust(usable) };
  } catch (cause) {
    if (cause instanceof errors.JOSEError) {
      return refuse("signature", `its signature by the key ${kid} does not fit`);
    }
    throw cause;
  }
}

/** OpenID Federation 1.0, section 8.7.2: seconds since the epoch. */
const Revocation = z.object({ revoked_at: z.int() });

/** What says that a key is distrusted, and not since when, says that it always was. */
function readDistrust(keys: readonly Record<string, unknown>[]): number | undefined {
  const times = keys
    .filter(({ revoked }) => revoked !== undefined)
    .map(({ revoked }) => Revocation.safeParse(revoked).data?.revoked_at ?? Number.NEGATIVE_INFINITY);
  return times.length === 0 ? undefined : Math.min(...times);
}

function findDistrust(
  { kid, distrustedFrom }: VerifiedSignature,
  signedAtSeconds: number,
): SignatureRefusal | undefined {
  return distrustedFrom === undefined || signedAtSeconds < distrustedFrom
    ? undefined
    : refuse("key_distrusted", `it says that it was signed when the key ${kid} was distrusted already`);
}

function readHeader(jws: string): z.infer<typeof SignatureHeader> | undefined {
  try {
    return SignatureHeader.safeParse(decodeProtectedHeader(jws)).data;
  } catch {
    return undefined;
  }
}

/** The last character of base64url has bits that decoders ignore. */
function isCanonicalBase64(jws: string): boolean {
  return jws.split(".").every((part) => base64url.encode(Buffer.from(part, "base64url")) === part);
}

type Parsed<T> = { readonly ok: true; value: T } | SignatureRefusal;

function parseDocument<T>(bytes: Uint8Array, schema: z.ZodMiniType<T>): Parsed<T> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    // The depth is bounded before a schema walks down.
    canonicalize(value);
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof TypeError || cause instanceof CanonicalError) {
      return refuse("malformed", "it is not JSON in UTF-8");
    }
    throw cause;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    return { ok: true, value: parsed.data };
  }
  const [issue] = parsed.error.issues;
  const member = z.core.toDotPath(issue?.path ?? []);
  const refusal = refuse("malformed", issue?.message ?? "it does not fit the schema");
  return member === "" ? refusal : { ...refusal, member };
}

function refuse(code: SignatureRefusal["code"], message: string): SignatureRefusal {
  return { ok: false, code, message };
}
