/**
 * The keys that sign: one for access tokens (ES256), another for checkpoints and manifests (Ed25519).
 * Made at the first start, stored sealed, and read anew while the broker runs: every replica on one database comes to
 * sign with the same ones, and verifies what any of them signed.
 */
import { type CryptoKey, type JSONWebKeySet, type JWTVerifyGetKey, createLocalJWKSet } from "jose";
import type { KeyPurpose, Queries, SigningKeyRow } from "../storage/schema.ts";
import { keepSigningKey, listSigningKeys } from "../storage/keys/signing-keys.ts";
import { type OpenedKey, createKey, openKey } from "./key-material.ts";
import { type ScheduledKey, scheduleKeys } from "./key-schedule.ts";
import { type SealingKey, SealingKeyUnusable } from "./sealing-key.ts";

/** A `kid` that is not known may have been made a moment ago: the database is asked again, but not more often. */
const ASK_AGAIN_MS = 5_000;

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/** Each member is what holds at the moment it is read. */
export interface SigningKeys {
  readonly token: SigningKey;
  readonly checkpoint: SigningKey;
  /** Published: what checks access tokens. One that is distrusted is not among them. */
  readonly tokenKeys: JSONWebKeySet;
  /** Finds among them the one that a token names. */
  readonly findTokenKey: JWTVerifyGetKey;
  /** Published for ever: what checks checkpoints and manifests. One that is distrusted says since when (`revoked`). */
  readonly checkpointKeys: JSONWebKeySet;
  /** Reads what is stored. Throws what the database throws, and `SealingKeyUnusable`; the keys then stay as they were. */
  refresh(): Promise<void>;
}

export interface SigningKeyStore {
  readonly database: Queries;
  readonly sealingKey: SealingKey;
  readonly now: () => number;
}

/** Throws `SealingKeyUnusable` when the stored keys were sealed with another sealing key. */
export async function loadSigningKeys(store: SigningKeyStore): Promise<SigningKeys> {
  const { now } = store;
  const token = createKeyRing("token", store);
  const checkpoint = createKeyRing("checkpoint", store);
  const read = async (): Promise<void> => {
    await token.read();
    await checkpoint.read();
  };
  await read();

  let underWay: Promise<void> | undefined;
  let readAt = now();
  const refresh = (): Promise<void> => {
    underWay ??= (async () => {
      readAt = now();
      try {
        await read();
      } finally {
        underWay = undefined;
      }
    })();
    return underWay;
  };

  let local: { readonly keys: JSONWebKeySet; readonly find: JWTVerifyGetKey } | undefined;
  const findTokenKey: JWTVerifyGetKey = async (header, jws) => {
    const isKnown = token.published().keys.some(({ kid }) => kid === header?.kid);
    if (!isKnown && (underWay !== undefined || now() - readAt >= ASK_AGAIN_MS)) {
      // A row that does not open is the operator's to see; to a caller its key is one of many that do not exist.
      await refresh().catch((error: unknown) => {
        if (!(error instanceof SealingKeyUnusable)) throw error;
      });
    }
    const keys = token.published();
    if (local?.keys !== keys) local = { keys, find: createLocalJWKSet(keys) };
    return local.find(header, jws);
  };

  return {
    get token() {
      return token.signing();
    },
    get checkpoint() {
      return checkpoint.signing();
    },
    get tokenKeys() {
      return token.published();
    },
    get checkpointKeys() {
      return checkpoint.published();
    },
    findTokenKey,
    refresh,
  };
}

interface KeyRing {
  read(): Promise<void>;
  signing(): SigningKey;
  /** The same object as long as the same keys are published. */
  published(): JSONWebKeySet;
}

interface StoredKey {
  readonly row: SigningKeyRow;
  readonly key: OpenedKey;
}

function createKeyRing(purpose: KeyPurpose, { database, sealingKey, now }: SigningKeyStore): KeyRing {
  let stored: readonly StoredKey[] = [];
  let keySet: JSONWebKeySet = { keys: [] };

  const schedule = (): readonly ScheduledKey[] =>
    scheduleKeys(
      purpose,
      stored.map(({ row }) => row),
      now(),
    );
  const findKeys = (isMeant: (scheduled: ScheduledKey) => boolean): OpenedKey[] => {
    const meant = new Set(
      schedule()
        .filter(isMeant)
        .map(({ kid }) => kid),
    );
    return stored.flatMap(({ key }) => (meant.has(key.kid) ? key : []));
  };

  return {
    async read() {
      let rows = await listSigningKeys(database, purpose);
      if (rows.length === 0) {
        await keepSigningKey(database, await createKey(purpose, { sealingKey, serial: 1, at: now() }));
        rows = await listSigningKeys(database, purpose);
      }
      stored = await Promise.all(
        rows.map(async (row) => {
          const known = stored.find((each) => each.row.sealed_private_jwk === row.sealed_private_jwk);
          return known?.row.kid === row.kid && known.row.distrusted_at === row.distrusted_at
            ? { row, key: known.key }
            : { row, key: await openKey(row, sealingKey) };
        }),
      );
    },
    signing() {
      const [key] = findKeys(({ phase }) => phase === "signing");
      if (key?.privateKey === undefined) throw new Error(`there is no ${purpose} key that signs`);
      return { kid: key.kid, privateKey: key.privateKey };
    },
    published() {
      const keys = findKeys(
        ({ phase }) => phase !== "retired" && (phase !== "distrusted" || purpose === "checkpoint"),
      ).map(({ publicJwk }) => publicJwk);
      if (keys.length !== keySet.keys.length || keys.some((key, index) => key !== keySet.keys[index])) {
        keySet = { keys };
      }
      return keySet;
    },
  };
}
