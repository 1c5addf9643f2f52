/**
 * The sealing key: with it the broker seals what its database keeps secret, and derives keys for single purposes.
 * Whoever has it and the database has everything. There may be several: the newest whose time has come seals, and all
 * of them open, so that one takes the other's place while brokers run. One that meets a key it does not know reads
 * where they are kept once more.
 */
import { hkdfSync } from "node:crypto";
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from "jose";
import { openKeyFile } from "./key-file.ts";
import { type KeySource, SealingKeyUnusable, type StoredSealingKey } from "./key-source.ts";

export { SealingKeyUnusable } from "./key-source.ts";

const DERIVED_BYTES = 32;
const MAX_KID_CHARS = 100;

export interface SealingKey {
  /** Names the one that seals now, and says nothing about it. */
  readonly kid: string;
  /** All that open, the one that seals first. */
  readonly kids: readonly string[];
  /** Compact JWE, `alg: dir`. `purpose` is part of what is authenticated: sealed for one, it opens for no other. */
  seal(purpose: string, secret: Uint8Array): Promise<string>;
  /** Throws `SealingKeyUnusable` when it was sealed with a key that is not here, or for another purpose. */
  open(purpose: string, sealed: string): Promise<Uint8Array>;
  /** 32 bytes that say nothing about the key or about those of another purpose; of the key that seals, or of `kid`. */
  derive(purpose: string, kid?: string): Buffer;
  /** Reads where they are kept. Throws `SealingKeyUnusable`; the keys then stay as they were. */
  refresh(): Promise<void>;
}

/** Reads the file, or makes it with mode 0600 when there is none. Throws `SealingKeyUnusable` with what to change. */
export async function loadSealingKey(path: string, now: () => number = Date.now): Promise<SealingKey> {
  const source = openKeyFile(path);
  await source.begin();
  return openSealingKey(source, now);
}

/** Reads the file of a broker that was started before: a new key would open nothing that it sealed. */
export async function findSealingKey(path: string, now: () => number = Date.now): Promise<SealingKey> {
  return openSealingKey(openKeyFile(path), now);
}

/** Throws `SealingKeyUnusable` where there is none: a new key would open nothing that another one sealed. */
export async function openSealingKey(source: KeySource, now: () => number): Promise<SealingKey> {
  let keys = await readKeys(source);
  let underWay: Promise<void> | undefined;
  const refresh = (): Promise<void> => {
    underWay ??= (async () => {
      try {
        keys = await readKeys(source);
      } finally {
        underWay = undefined;
      }
    })();
    return underWay;
  };
  /** Where the clock that made the first key is ahead of this one, it seals all the same: nothing else can. */
  const current = (): StoredSealingKey => {
    const key = keys.findLast(({ sealsFrom }) => sealsFrom <= now()) ?? keys[0];
    if (key === undefined) throw new SealingKeyUnusable("there is no sealing key");
    return key;
  };
  const find = (kid: string): StoredSealingKey | undefined => keys.find((key) => key.kid === kid);

  return {
    get kid() {
      return current().kid;
    },
    get kids() {
      const { kid } = current();
      return [kid, ...keys.map((key) => key.kid).filter((other) => other !== kid)];
    },
    async seal(purpose, secret) {
      const { kid, key } = current();
      return new CompactEncrypt(secret)
        .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid, sealed_for: purpose })
        .encrypt(key);
    },
    async open(purpose, sealed) {
      const kid = kidOf(sealed);
      if (kid !== undefined && find(kid) === undefined) await refresh();
      const key = find(kid ?? "");
      if (key === undefined) {
        throw new SealingKeyUnusable(describeMissing(kid, source));
      }
      return openWith(key, purpose, sealed);
    },
    derive(purpose, kid) {
      const key = kid === undefined ? current() : find(kid);
      if (key === undefined) throw new SealingKeyUnusable("what is stored was made with another sealing key");
      return Buffer.from(hkdfSync("sha256", key.key, "", `lanyard ${purpose}`, DERIVED_BYTES));
    },
    refresh,
  };
}

/** The name of the key that it was sealed with; undefined: it is not sealed. */
export function kidOf(sealed: string): string | undefined {
  try {
    return decodeProtectedHeader(sealed).kid;
  } catch {
    return undefined;
  }
}

async function openWith({ key }: StoredSealingKey, purpose: string, sealed: string): Promise<Uint8Array> {
  let opened: Awaited<ReturnType<typeof compactDecrypt>>;
  try {
    opened = await compactDecrypt(sealed, key, {
      keyManagementAlgorithms: ["dir"],
      contentEncryptionAlgorithms: ["A256GCM"],
    });
  } catch (cause) {
    throw new SealingKeyUnusable("what is stored was sealed with another sealing key", { cause });
  }
  if (opened.protectedHeader["sealed_for"] !== purpose) {
    throw new SealingKeyUnusable(`what is stored was not sealed for ${purpose}`);
  }
  return opened.plaintext;
}

/** The one that seals last of all is the last. */
async function readKeys(source: KeySource): Promise<StoredSealingKey[]> {
  const keys = await source.read();
  if (keys.length === 0) {
    throw new SealingKeyUnusable(
      `there is no sealing key in ${source.places.join(" or ")}: name where the broker has it`,
    );
  }
  // Of two that seal from the same time on, the one of the place that is named last does.
  return keys.toSorted((a, b) => a.sealsFrom - b.sealsFrom);
}

/** For the operator; `kid` is whatever the database says. */
export function describeMissing(kid: string | undefined, { places }: KeySource): string {
  const which = kid === undefined ? "" : ` (${JSON.stringify(kid.slice(0, MAX_KID_CHARS))})`;
  return `what is stored was sealed with another sealing key${which}, which is not in ${places.join(" or ")}: name where it is, too. Nothing was changed`;
}
