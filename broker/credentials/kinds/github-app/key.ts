/**
 * The private key of a GitHub App, and the short statement under it by which GitHub knows the app. No problem with a
 * key repeats any of it.
 */
import { type KeyObject, createPrivateKey } from "node:crypto";
import { SignJWT } from "jose";
import { textOf } from "../../vault/typed-secret.ts";

const MAX_BYTES = 16 * 1024;
const MIN_KEY_BITS = 2048;
/** GitHub's clock may be behind. */
const BACKDATED_SECONDS = 60;
/** GitHub takes no more than ten minutes, from its own clock on. */
const LIFETIME_SECONDS = 9 * 60;

type ParsedKey =
  | { readonly ok: true; readonly key: KeyObject }
  | { readonly ok: false; readonly problem: string };

/** PKCS#1, as GitHub gives it out, or PKCS#8. The problem is a sentence. */
export function parseAppKey(secret: Uint8Array): ParsedKey {
  if (secret.length === 0) return { ok: false, problem: "It is empty." };
  if (secret.length > MAX_BYTES) return { ok: false, problem: `It is longer than ${MAX_BYTES / 1024} KiB.` };
  const text = textOf(secret);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    return {
      ok: false,
      problem: "It is no private key: expected the PEM file that GitHub gave for the app.",
    };
  }
  if (text.includes("ENCRYPTED")) {
    return { ok: false, problem: "It is under a passphrase: expected the PEM file as GitHub gave it." };
  }
  const key = readKey(text);
  if (key === undefined)
    return { ok: false, problem: "It is a private key that cannot be read: is it whole?" };
  const isStrong = (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_KEY_BITS;
  return key.asymmetricKeyType === "rsa" && isStrong
    ? { ok: true, key }
    : { ok: false, problem: `It is no RSA key of ${MIN_KEY_BITS} bits or more, as GitHub's are.` };
}

/** `appId` is the App ID or the client ID. `now` in milliseconds since the epoch. */
export async function signAppToken(key: KeyObject, appId: string, now: number): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: "RS256", typ: "JWT" })
    .setIssuer(appId)
    .setIssuedAt(seconds - BACKDATED_SECONDS)
    .setExpirationTime(seconds + LIFETIME_SECONDS)
    .sign(key);
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
