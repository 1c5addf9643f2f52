/**
 * The salt of a session's argument digests: with it, digests of short arguments could be guessed.
 * It is stored sealed, goes to the session's proxy, and never into a log.
 */
import { randomBytes } from "node:crypto";
import type { SealingKey } from "../keys/sealing-key.ts";
import type { SessionRow } from "../storage/schema.ts";

const SALT_BYTES = 32;

export async function sealSalt(session: string, sealingKey: SealingKey): Promise<string> {
  return sealingKey.seal(purposeOf(session), randomBytes(SALT_BYTES));
}

/** Base64url. */
export async function openSalt(row: SessionRow, sealingKey: SealingKey): Promise<string> {
  return Buffer.from(await sealingKey.open(purposeOf(row.id), row.sealed_salt)).toString("base64url");
}

const purposeOf = (session: string): string => `salt of ${session}`;
