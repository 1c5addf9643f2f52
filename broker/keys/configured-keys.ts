/** The sealing keys that the configuration names. The AWS SDK is loaded only where it is used. */
import type { KeysConfig } from "../config-values.ts";
import type { Queries } from "../storage/schema.ts";
import { findKeyFile, loadKeyFile } from "./key-file.ts";
import type { KeySource } from "./key-source.ts";

export interface KeyStore {
  readonly database: Queries;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** As a broker has them: the first key is made where there is none. Throws `SealingKeyUnusable` with what to change. */
export async function loadKeySource(keys: KeysConfig, store: KeyStore): Promise<KeySource> {
  return typeof keys === "string" ? loadKeyFile(keys) : openKms(keys.kms, store);
}

/** As a command has them: a file must be the one that a broker uses. */
export async function findKeySource(keys: KeysConfig, store: KeyStore): Promise<KeySource> {
  return typeof keys === "string" ? findKeyFile(keys) : openKms(keys.kms, store);
}

async function openKms(kmsKey: string, store: KeyStore): Promise<KeySource> {
  const { createKmsKeys } = await import("./kms-keys.ts");
  return createKmsKeys({ kmsKey, ...store });
}
