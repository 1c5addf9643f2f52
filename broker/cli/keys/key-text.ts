/** Signing keys as an operator reads them, and as scripts do. */
import { KEY_REFRESH_MS, type ScheduledKey } from "../../keys/key-schedule.ts";
import type { Distrust } from "../../keys/distrust.ts";
import type { Rotation } from "../../keys/rotation.ts";
import type { KeyPurpose } from "../../storage/schema.ts";

export function tellRotation(rotation: Rotation): string {
  if (rotation.ok) {
    const { key, previous } = rotation;
    const until =
      previous.publishedUntil === undefined ? "for ever" : `until ${timestampOf(previous.publishedUntil)}`;
    return `${key.kid} is published and signs from ${timestampOf(key.signsFrom)}; ${previous.kid} stays published ${until}.`;
  }
  switch (rotation.code) {
    case "none":
      return "there is no key to rotate: `lanyard serve` makes the first at its first start.";
    case "pending":
      return `nothing was changed: ${rotation.key.kid} is new already and signs from ${timestampOf(rotation.key.signsFrom)}.`;
  }
}

export function describeRotation({
  purpose,
  rotation,
}: {
  purpose: KeyPurpose;
  rotation: Rotation;
}): unknown {
  if (rotation.ok) {
    const { key, previous } = rotation;
    return { purpose, ok: true, key: describeKey(key), previous: describeKey(previous) };
  }
  const { code } = rotation;
  return { purpose, ok: false, code, ...(code === "pending" ? { key: describeKey(rotation.key) } : {}) };
}

export interface ListedKey {
  readonly kid: string;
  readonly phase: ScheduledKey["phase"];
  readonly signs_from: string;
  readonly signs_until: string | null;
  /** Null: for ever, or until there is a successor. */
  readonly published_until: string | null;
  readonly distrusted_at: string | null;
}

export function describeKey(key: ScheduledKey): ListedKey {
  const { kid, phase, signsFrom, signsUntil, publishedUntil, distrustedAt } = key;
  return {
    kid,
    phase,
    signs_from: timestampOf(signsFrom),
    signs_until: signsUntil === undefined ? null : timestampOf(signsUntil),
    published_until: publishedUntil === undefined ? null : timestampOf(publishedUntil),
    distrusted_at: distrustedAt === undefined ? null : timestampOf(distrustedAt),
  };
}

/** What is asked before a key is distrusted. */
export function warnOfDistrust({ kid, purpose }: { kid: string; purpose: KeyPurpose }): string {
  switch (purpose) {
    case "token":
      return `Every access token that ${kid} signed is refused from now on: jobs that run with one lose their session, and their logs stay unsealed. This cannot be undone. Distrust it?`;
    case "checkpoint":
      return `Logs with checkpoints or manifests that say that ${kid} signed them from now on do not verify. This cannot be undone. Distrust it?`;
  }
}

export function tellDistrust(distrust: Distrust, kid: string): string {
  if (!distrust.ok) return `there is no key ${JSON.stringify(kid.slice(0, 100))}: see \`lanyard keys list\`.`;
  const { purpose, key, signing, already } = distrust;
  const since = timestampOf(key.distrustedAt ?? 0);
  if (already) return `${purpose}: ${key.kid} is distrusted since ${since}; nothing was changed.`;
  const meaning =
    purpose === "token"
      ? "it is published no more, and what it signed is refused"
      : `it stays published, marked: what it signed before ${since} still verifies, what it signs from then on does not`;
  return (
    `${purpose}: ${key.kid} is distrusted: ${meaning}. ${signing.kid} signs. ` +
    `Running brokers notice within ${KEY_REFRESH_MS / 1000} seconds.`
  );
}

export function describeDistrust(distrust: Distrust): object {
  if (!distrust.ok) return distrust;
  const { purpose, key, signing, already } = distrust;
  return { ok: true, purpose, already, key: describeKey(key), signing: describeKey(signing) };
}

const timestampOf = (milliseconds: number): string => new Date(milliseconds).toISOString();
