/**
 * The sealing keys that the configuration names, in one place or in several while they move. A key is made only where
 * nothing is sealed yet: a new one opens nothing, and would hide that a place is missing.
 * The AWS SDK is loaded only where it is used.
 */
import type { KeyPlace, KeysConfig } from "../config-values.ts";
import type { Queries } from "../storage/schema.ts";
import { listSigningKeys } from "../storage/keys/signing-keys.ts";
import { openKeyFile } from "./key-file.ts";
import { type KeySource, SealingKeyUnusable, joinKeySources } from "./key-source.ts";
import { describeMissing, kidOf } from "./sealing-key.ts";

export interface KeyStore {
  readonly database: Queries;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** As a broker has them: the first key is made where there is none. Throws `SealingKeyUnusable` with what to change. */
export async function loadKeySource(keys: KeysConfig, store: KeyStore): Promise<KeySource> {
  const source = await findKeySource(keys, store);
  // Made at the first start of all. They are asked for before the places are read: a broker that starts beside this one
  // makes its key first, so that what it sealed is never seen without it.
  const [first] = await listSigningKeys(store.database, "token");
  if ((await source.read()).length > 0) return source;
  if (first !== undefined) {
    throw new SealingKeyUnusable(describeMissing(kidOf(first.sealed_private_jwk), source));
  }
  await source.begin();
  return source;
}

/** As a command has them: they must be those that a broker uses. */
export async function findKeySource(keys: KeysConfig, store: KeyStore): Promise<KeySource> {
  const places: readonly KeyPlace[] = isSeveral(keys) ? keys : [keys];
  const kmsKeys = places.flatMap((place) => (typeof place === "string" ? [] : [place.kms]));
  const sources: KeySource[] = [];
  for (const place of places) {
    if (typeof place === "string") sources.push(openKeyFile(place));
    // The database has all data keys, whatever they were made under.
    else if (place.kms === kmsKeys[0]) sources.push(await openKms([place.kms, ...kmsKeys.slice(1)], store));
  }
  const [first, ...others] = sources;
  if (first === undefined) throw new Error("no place of the sealing key is configured");
  return others.length === 0 ? first : joinKeySources([first, ...others]);
}

const isSeveral = (keys: KeysConfig): keys is Extract<KeysConfig, readonly unknown[]> => Array.isArray(keys);

async function openKms(kmsKeys: readonly [string, ...string[]], store: KeyStore): Promise<KeySource> {
  const { createKmsKeys } = await import("./kms-keys.ts");
  return createKmsKeys({ kmsKeys, ...store });
}
