/**
 * Sealing keys that AWS KMS holds: each is a data key, of which the database has what KMS sealed and the process, in
 * its memory alone, what KMS opened. KMS authenticates the row with it: one that was moved or altered does not open,
 * and neither does one that was made under another KMS key.
 */
import { randomBytes } from "node:crypto";
import { DecryptCommand, GenerateDataKeyCommand, KMSClient, KMSServiceException } from "@aws-sdk/client-kms";
import type { DataKeyRow } from "../storage/credentials/credential-tables.ts";
import { dropDataKey, keepDataKey, listDataKeys } from "../storage/keys/data-keys.ts";
import type { Queries } from "../storage/schema.ts";
import { type KeySource, SealingKeyUnusable, type StoredSealingKey } from "./key-source.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEY_BYTES = 32;

export interface KmsKeysOptions {
  /**
   * ARNs, ids or aliases: data keys are made under the first, and those that were made under another one open, too.
   * Region, endpoint and credentials come from where the AWS SDK looks for them.
   */
  readonly kmsKeys: readonly [string, ...string[]];
  readonly database: Queries;
  readonly now: () => number;
}

type Bound = Pick<DataKeyRow, "kid" | "serial" | "seals_from">;

export function createKmsKeys({ kmsKeys, database, now }: KmsKeysOptions): KeySource {
  const [first] = kmsKeys;
  const clients = new Map(kmsKeys.map((kmsKey) => [kmsKey, createClient(kmsKey)]));
  const clientOf = (kmsKey: string): KMSClient => clients.get(kmsKey) ?? createClient(kmsKey);
  const opened = new Map<string, StoredSealingKey>();

  /** An alias may name another key by now: only KMS knows which one it names. */
  const decrypt = async (row: DataKeyRow): Promise<{ place: string; key: Uint8Array | undefined }> => {
    const named = kmsKeys.find((each) => row.kms_key === each || row.kms_key.endsWith(`/${each}`));
    for (const place of named === undefined ? kmsKeys : [named]) {
      const command = new DecryptCommand({
        KeyId: place,
        CiphertextBlob: Buffer.from(row.sealed, "base64"),
        EncryptionContext: contextOf(row),
      });
      try {
        return { place, key: (await clientOf(place).send(command)).Plaintext };
      } catch (cause) {
        if (!(cause instanceof KMSServiceException && cause.name === "IncorrectKeyException")) {
          throw explain(cause);
        }
      }
    }
    // Whoever writes to the database can write an ARN there.
    throw new SealingKeyUnusable(
      `the data key ${row.kid} was made under another KMS key than ${kmsKeys.join(" and ")}, as its row says under ${row.kms_key}: if you know that key, name it, too (kms:${row.kms_key})`,
    );
  };
  const openRow = async (row: DataKeyRow): Promise<StoredSealingKey> => {
    const { kid, serial, sealed, seals_from: sealsFrom } = row;
    const id = JSON.stringify([kid, serial, sealsFrom, sealed]);
    const known = opened.get(id);
    if (known !== undefined) return known;
    const { place, key } = await decrypt(row);
    if (key?.length !== KEY_BYTES) throw new SealingKeyUnusable("what KMS opened is not a sealing key");
    const stored = { kid, key, sealsFrom, place: `kms:${place}` };
    opened.set(id, stored);
    return stored;
  };
  /** Undefined: somebody else has made the one of this serial. */
  const make = async (serial: number, sealsFrom: number): Promise<StoredSealingKey | undefined> => {
    const bound = { kid: randomBytes(8).toString("hex"), serial, seals_from: sealsFrom };
    const command = new GenerateDataKeyCommand({
      KeyId: first,
      KeySpec: "AES_256",
      EncryptionContext: contextOf(bound),
    });
    const made = await clientOf(first)
      .send(command)
      .catch((cause: unknown) => {
        throw explain(cause);
      });
    const sealed = Buffer.from(made.CiphertextBlob ?? []).toString("base64");
    const row = { ...bound, kms_key: made.KeyId ?? first, sealed, created_at: now() };
    return (await keepDataKey(database, row)) ? openRow(row) : undefined;
  };
  return {
    places: [`kms:${first}`, ...kmsKeys.slice(1).map((each) => `kms:${each}`)],
    read: async () => Promise.all((await listDataKeys(database)).map(openRow)),
    async begin() {
      if ((await listDataKeys(database)).length === 0) await make(1, 0);
    },
    async add(sealsFrom) {
      for (;;) {
        const serial = ((await listDataKeys(database)).at(-1)?.serial ?? 0) + 1;
        const added = await make(serial, sealsFrom);
        if (added !== undefined) return added;
      }
    },
    drop: async (kid) => dropDataKey(database, kid),
  };
}

function createClient(kmsKey: string): KMSClient {
  const region = /^arn:[^:]+:kms:([^:]+):/.exec(kmsKey)?.[1];
  return new KMSClient({
    ...(region === undefined ? {} : { region }),
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  });
}

function explain(cause: unknown): SealingKeyUnusable {
  return new SealingKeyUnusable(`KMS does not give out the sealing key: ${describeFailure(cause)}`, {
    cause,
  });
}

const contextOf = ({ kid, serial, seals_from }: Bound): Record<string, string> => ({
  "lanyard:data_key": kid,
  "lanyard:serial": String(serial),
  "lanyard:seals_from": String(seals_from),
});

function describeFailure(error: unknown): string {
  if (!(error instanceof KMSServiceException)) {
    const { name = "", message = String(error) } = error instanceof Error ? error : {};
    return name === "CredentialsProviderError" ? "the AWS SDK finds no credentials" : message;
  }
  switch (error.name) {
    case "NotFoundException":
      return "there is no such key in this account and region";
    case "AccessDeniedException":
      return "the broker needs kms:GenerateDataKey and kms:Decrypt on it";
    case "DisabledException":
      return "the key is disabled";
    case "KMSInvalidStateException":
      return "the key is about to be deleted, or has no key material";
    case "InvalidCiphertextException":
      return "a row of data_keys was altered or belongs to another database";
    default:
      return error.name;
  }
}
