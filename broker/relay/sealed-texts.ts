/**
 * Texts that the relay hands out and gets back: encrypted, and bound to whose they are. Every replica opens them;
 * nobody else can read or make one, or use one that is somebody else's.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { SealingKey } from "../keys/sealing-key.ts";

const IV_BYTES = 12;
const TAG_BYTES = 16;

export type DerivingKey = Pick<SealingKey, "kids" | "derive">;
type Bound = readonly (string | null)[];

export interface SealedTexts {
  seal(text: string, boundTo: Bound): string;
  /** Undefined for what was not sealed for this purpose and these. */
  open(sealed: string, boundTo: Bound): string | undefined;
}

export function sealTexts(purpose: string, sealingKey: DerivingKey): SealedTexts {
  const write = (boundTo: Bound): Buffer => Buffer.from(JSON.stringify(boundTo));
  return {
    seal: (text, boundTo) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", sealingKey.derive(purpose), iv).setAAD(write(boundTo));
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    open: (sealed, boundTo) => {
      const bytes = Buffer.from(sealed, "base64url");
      if (bytes.length <= IV_BYTES + TAG_BYTES || bytes.toString("base64url") !== sealed) return undefined;
      const bound = write(boundTo);
      for (const kid of sealingKey.kids) {
        const text = decrypt(bytes, sealingKey.derive(purpose, kid), bound);
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
}

function decrypt(bytes: Buffer, key: Buffer, bound: Buffer): string | undefined {
  const iv = bytes.subarray(0, IV_BYTES);
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, iv).setAAD(bound).setAuthTag(tag);
  try {
    const opened = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
    return Buffer.concat(opened).toString("utf8");
  } catch {
    return undefined;
  }
}
