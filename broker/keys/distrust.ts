/**
 * Distrust of a signing key that somebody else may have: it never signs again, and another one signs from this moment
 * on. What a token key signed is refused; what a checkpoint key signed before this moment still counts.
 */
import type { KeyPurpose } from "../storage/schema.ts";
import {
  keepDistrust,
  keepSigningKey,
  listSigningKeys,
  lockSigningKeys,
} from "../storage/keys/signing-keys.ts";
import { inTransaction } from "../storage/transactions.ts";
import { createKey, distrustKeyRow, openKey } from "./key-material.ts";
import { type ScheduledKey, scheduleKeys } from "./key-schedule.ts";
import type { RotationStore } from "./rotation.ts";

export type Distrust =
  | {
      readonly ok: true;
      readonly purpose: KeyPurpose;
      readonly key: ScheduledKey;
      /** What signs now. */
      readonly signing: ScheduledKey;
      /** It was distrusted before, and nothing was changed. */
      readonly already: boolean;
    }
  | { readonly ok: false; readonly code: "unknown" };

/** Throws `SealingKeyUnusable` when the stored keys do not open with the sealing key: then nothing is changed. */
export async function distrustKey(
  kid: string,
  { database, sealingKey, now }: RotationStore,
): Promise<Distrust> {
  return inTransaction(database, async (db) => {
    const rows = await lockSigningKeys(db, kid);
    const row = rows.find((each) => each.kid === kid);
    if (row === undefined) return { ok: false, code: "unknown" };
    const { purpose, distrusted_at } = row;
    for (const each of rows) await openKey(each, sealingKey);
    if (distrusted_at === null) {
      const distrusted = await distrustKeyRow(row, { sealingKey, at: now });
      const rest = rows.map((each) => (each === row ? distrusted : each));
      if (!scheduleKeys(purpose, rest, now).some(({ phase }) => phase === "signing")) {
        const serial = Math.max(...rows.map((each) => each.serial)) + 1;
        await keepSigningKey(db, await createKey(purpose, { sealingKey, serial, at: now }));
      }
      await keepDistrust(db, distrusted);
    }
    const schedule = scheduleKeys(purpose, await listSigningKeys(db, purpose), now);
    const key = schedule.find((each) => each.kid === kid);
    const signing = schedule.find(({ phase }) => phase === "signing");
    if (key === undefined || signing === undefined) throw new Error(`no ${purpose} key signs`);
    return { ok: true, purpose, key, signing, already: distrusted_at !== null };
  });
}
