/**
 * The signature of a subject token: an algorithm that is expected, the one key that the issuer published for it, and
 * the token signed with it. What the token's header says only ever chooses among those.
 */
import { type CryptoKey, compactVerify, importJWK } from "jose";
import { z } from "zod";
import { type Refused, refuse } from "../refusals.ts";
import { FetchFailed } from "./fetched-document.ts";
import type { FoundKeys, IssuerKeys } from "./issuer-keys.ts";
import { refuseMember } from "./member-refusal.ts";
import type { PublicJwk } from "./published-keys.ts";
import type { TokenForm } from "./token-form.ts";

type Header = TokenForm["header"];
const Algorithm = z.enum(["RS256", "ES256"]);
export type Algorithm = z.infer<typeof Algorithm>;
const KEY_TYPES: Readonly<Record<Algorithm, string>> = { RS256: "RSA", ES256: "EC" };

const MIN_RSA_BITS = 2048;
/** To verify with a larger one costs as much as a hundred exchanges. */
const MAX_RSA_BITS = 8192;
/** With a smaller one, some signatures can be made without the private key. */
const MIN_RSA_EXPONENT = 65_537n;

export type ChosenAlgorithm = { readonly ok: true; readonly algorithm: Algorithm };

export function checkAlgorithm({ alg }: Header): ChosenAlgorithm | Refused {
  const known = Algorithm.safeParse(alg);
  return known.success
    ? { ok: true, algorithm: known.data }
    : refuseMember("algorithm_refused", "alg", { expected: Algorithm.options.join(" or "), got: alg });
}

export interface ChosenKey {
  readonly ok: true;
  readonly key: CryptoKey;
  readonly algorithm: Algorithm;
}

export async function findKey(
  { kid }: Header,
  algorithm: Algorithm,
  keys: IssuerKeys,
): Promise<ChosenKey | Refused> {
  if (typeof kid !== "string" || kid === "") {
    return refuseMember("key_unknown", "kid", { expected: "the name of a key", got: kid });
  }
  let found: FoundKeys;
  try {
    found = await keys.find(kid);
  } catch (error) {
    if (!(error instanceof FetchFailed)) throw error;
    return refuse("issuer_unreachable", error.message);
  }
  if (found.algorithms?.includes(algorithm) === false) {
    const expected = `what the issuer signs with: ${found.algorithms.join(" or ").slice(0, 200)}`;
    return refuseMember("algorithm_refused", "alg", { expected, got: algorithm });
  }
  const [jwk, ...others] = found.keys.filter((key) => isFor(key, algorithm));
  if (jwk === undefined || others.length > 0) {
    const count = others.length === 0 ? "none" : "more than one";
    const expected = `the name of one ${algorithm} key of the issuer, which has ${count}`;
    return refuseMember("key_unknown", "kid", { expected, got: kid });
  }
  const key = await importOnce(jwk, algorithm);
  return "ok" in key ? key : { ok: true, key, algorithm };
}

/** RFC 7517, sections 4.2 to 4.4: what a key says of its use is binding. */
function isFor(key: PublicJwk, algorithm: Algorithm): boolean {
  return (
    key.kty === KEY_TYPES[algorithm] &&
    (key.use ?? "sig") === "sig" &&
    (key.key_ops ?? ["verify"]).includes("verify") &&
    (key.alg ?? algorithm) === algorithm &&
    (algorithm !== "ES256" || key.crv === "P-256")
  );
}

/** As long as the same document is in use: importing costs more than verifying. Its type decides the algorithm. */
const imported = new WeakMap<PublicJwk, Promise<CryptoKey | Refused>>();

async function importOnce(jwk: PublicJwk, algorithm: Algorithm): Promise<CryptoKey | Refused> {
  const known = imported.get(jwk) ?? importPublicKey(jwk, algorithm);
  imported.set(jwk, known);
  return known;
}

async function importPublicKey(
  { kty, n, e, crv, x, y }: PublicJwk,
  algorithm: Algorithm,
): Promise<CryptoKey | Refused> {
  const members = kty === "RSA" ? { n, e } : { crv, x, y };
  try {
    const key = await importJWK(JSON.parse(JSON.stringify({ kty, ...members })), algorithm);
    if (key instanceof Uint8Array || key.type !== "public") return refuse("key_unusable", "it is not public");
    const problem = kty === "RSA" ? objectToRsa(key, e ?? "") : undefined;
    return problem === undefined ? key : refuse("key_unusable", problem);
  } catch (error) {
    return refuse("key_unusable", error instanceof Error ? error.message : "it cannot be read");
  }
}

function objectToRsa(key: CryptoKey, e: string): string | undefined {
  const { modulusLength } = z.object({ modulusLength: z.int() }).parse(key.algorithm);
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS) {
    return `the issuer's key has ${modulusLength} bits, expected ${MIN_RSA_BITS} to ${MAX_RSA_BITS}`;
  }
  const exponent = BigInt(`0x${Buffer.from(e, "base64url").toString("hex") || "0"}`);
  return exponent < MIN_RSA_EXPONENT ? `the issuer's key has the exponent ${exponent}` : undefined;
}

export async function checkSignature(
  token: string,
  { key, algorithm }: Pick<ChosenKey, "key" | "algorithm">,
): Promise<{ readonly ok: true } | Refused> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
    return { ok: true };
  } catch (error) {
    return refuse("signature_invalid", error instanceof Error ? error.message : "it does not verify");
  }
}

/** RFC 8725, section 3.11: a token made for another use, our own access tokens among them, is not a subject token. */
export function checkType({ typ }: Header): { readonly ok: true } | Refused {
  return typ === "JWT"
    ? { ok: true }
    : refuseMember("token_type_wrong", "typ", { expected: "JWT", got: typ });
}
