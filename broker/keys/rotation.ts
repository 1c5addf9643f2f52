/**
 * Rotation of a signing key: a new one is stored, which is published from then on and signs later; see key-schedule.ts.
 * Of two rotations at the same time one makes the key and the other is told so.
 */
import type { KeyPurpose, Queries, SigningKeyRow } from "../storage/schema.ts";
import { keepSigningKey, listSigningKeys, replaceSealedKey } from "../storage/keys/signing-keys.ts";
import { createKey, destroyPrivateHalf, openKey } from "./key-material.ts";
import { type ScheduledKey, scheduleKeys } from "./key-schedule.ts";
import type { SealingKey } from "./sealing-key.ts";

export interface RotationStore {
  readonly database: Queries;
  readonly sealingKey: SealingKey;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type Rotation =
  /** `key` is published and signs later; `previous` signs until then. */
  | { readonly ok: true; readonly key: ScheduledKey; readonly previous: ScheduledKey }
  /** `none`: the broker has not been started on this database. `pending`: a new key waits already. */
  | { readonly ok: false; readonly code: "none" }
  | { readonly ok: false; readonly code: "pending"; readonly key: ScheduledKey };

/** Throws `SealingKeyUnusable` when the stored keys do not open with the sealing key: then nothing is changed. */
export async function rotateKey(
  purpose: KeyPurpose,
  { database, sealingKey, now }: RotationStore,
): Promise<Rotation> {
  const rows = await listSigningKeys(database, purpose);
  const newest = rows.at(-1);
  if (newest === undefined) return { ok: false, code: "none" };
  for (const row of rows) await openKey(row, sealingKey);
  const waiting = scheduleKeys(purpose, rows, now).find(({ phase }) => phase === "pending");
  if (waiting !== undefined) return { ok: false, code: "pending", key: waiting };

  const created = await createKey(purpose, { sealingKey, serial: newest.serial + 1, at: now });
  await keepSigningKey(database, created);
  const stored = await listSigningKeys(database, purpose);
  const schedule = scheduleKeys(purpose, stored, now);
  await destroyOld(stored, schedule, { database, sealingKey, now });
  const key = schedule.at(-1);
  const previous = schedule.find(({ phase }) => phase === "signing");
  if (previous === undefined || key === undefined) {
    throw new Error(`the ${purpose} key that was just stored is not there`);
  }
  return key.kid === created.kid ? { ok: true, key, previous } : { ok: false, code: "pending", key };
}

async function destroyOld(
  rows: readonly SigningKeyRow[],
  schedule: readonly ScheduledKey[],
  { database, sealingKey, now }: RotationStore,
): Promise<void> {
  for (const [index, row] of rows.entries()) {
    const privateUntil = schedule[index]?.privateUntil;
    if (privateUntil !== undefined && privateUntil <= now) {
      await replaceSealedKey(database, await destroyPrivateHalf(row, sealingKey));
    }
  }
}
