/**
 * Addresses at which a folder bucket takes one upload: the key, length and digest of the body and the time until when
 * are in the address, and a MAC over all of them. Nobody but the broker can make one or change one.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { UploadTerms } from "./bucket.ts";

export const UPLOAD_PATH = "/session/objects/";

const UploadQuery = z.strictObject({
  bytes: z
    .string()
    .regex(/^[1-9][0-9]{0,9}$/)
    .transform(Number),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Milliseconds since the epoch. */
  expires: z
    .string()
    .regex(/^[1-9][0-9]{0,15}$/)
    .transform(Number),
  mac: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});

/**
 * As they are at the moment they are asked for, each of 32 bytes: the first one signs, any of them verifies. Brokers that
 * share a folder may have read another sealing key than the one that signed.
 */
export type UploadSecrets = () => readonly Uint8Array[];

export interface UploadGrant {
  readonly publicUrl: string;
  readonly key: string;
  readonly terms: UploadTerms;
  readonly secrets: UploadSecrets;
  readonly now: number;
}

export function signUploadUrl({ publicUrl, key, terms, secrets, now }: UploadGrant): string {
  const [secret] = secrets();
  if (secret === undefined) throw new Error("there is no secret to sign the address of an upload with");
  const { bytes, sha256 } = terms;
  const expires = now + terms.expiresSeconds * 1000;
  const mac = macOf([key, bytes, sha256, expires], secret).toString("base64url");
  const url = new URL(`${publicUrl}${UPLOAD_PATH}${key}`);
  url.search = new URLSearchParams({
    bytes: String(bytes),
    sha256,
    expires: String(expires),
    mac,
  }).toString();
  return url.href;
}

/** What may be uploaded under this key; undefined when the address is not one of ours or has expired. */
export function parseUploadUrl(
  { key, query }: { key: string; query: unknown },
  { secrets, now }: { secrets: UploadSecrets; now: number },
): Pick<UploadTerms, "bytes" | "sha256"> | undefined {
  const parsed = UploadQuery.safeParse(query);
  if (!parsed.success) return undefined;
  const { bytes, sha256, expires, mac } = parsed.data;
  const given = Buffer.from(mac, "base64url");
  const isOurs = secrets().some((secret) =>
    timingSafeEqual(macOf([key, bytes, sha256, expires], secret), given),
  );
  return isOurs && now < expires ? { bytes, sha256 } : undefined;
}

function macOf(parts: readonly (string | number)[], secret: Uint8Array): Buffer {
  return createHmac("sha256", secret).update(JSON.stringify(parts)).digest();
}
