/**
 * The salt of a session's argument digests: with it, digests of short arguments could be guessed.
 * It is derived from the sealing key and the session's id, goes to the session's proxy, and is neither stored nor
 * written into a log.
 */
import { type SealingKey, SealingKeyUnusable } from "../keys/sealing-key.ts";
import type { SessionRow } from "../storage/schema.ts";

/** What a session keeps of its salt: the key that it comes from, as another one would give another salt. */
export function nameSaltKey({ kid }: SealingKey): string {
  return kid;
}

/** Base64url. Throws `SealingKeyUnusable` when the session was opened under a sealing key that is not here. */
export async function deriveSalt(
  { id, salt_key }: Pick<SessionRow, "id" | "salt_key">,
  sealingKey: SealingKey,
): Promise<string> {
  if (!sealingKey.kids.includes(salt_key)) await sealingKey.refresh();
  if (!sealingKey.kids.includes(salt_key)) {
    throw new SealingKeyUnusable(`session ${id} was opened with another sealing key`);
  }
  return sealingKey.derive(`salt of ${id}`, salt_key).toString("base64url");
}
