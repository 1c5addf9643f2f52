/**
 * Sealing keys that AWS KMS holds: each is a data key, of which the database has what KMS sealed and the process, in
 * its memory alone, what KMS opened. KMS authenticates the row with it: one that was moved or altered does not open,
 * and neither does one that was made under another KMS key.
 */
import { randomBytes } from "node:crypto";
import { DecryptCommand, GenerateDataKeyCommand, KMSClient, KMSServiceException } from "@aws-sdk/client-kms";
import type { DataKeyRow } from "../storage/credential-tables.ts";
import { dropDataKey, keepDataKey, listDataKeys } from "../storage/data-keys.ts";
import type { Queries } from "../storage/schema.ts";
import { type KeySource, SealingKeyUnusable, type StoredSealingKey } from "./key-source.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEY_BYTES = 32;

export interface KmsKeysOptions {
  /** An ARN, an id or an alias. Region, endpoint and credentials come from where the AWS SDK looks for them. */
  readonly kmsKey: string;
  readonly database: Queries;
  readonly now: () => number;
}

type Bound = Pick<DataKeyRow, "kid" | "serial" | "seals_from">;

export function createKmsKeys({ kmsKey, database, now }: KmsKeysOptions): KeySource {
  const region = /^arn:[^:]+:kms:([^:]+):/.exec(kmsKey)?.[1];
  const client = new KMSClient({
    ...(region === undefined ? {} : { region }),
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  });
  const opened = new Map<string, StoredSealingKey>();

  const ask = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (cause) {
      throw new SealingKeyUnusable(`KMS does not give out the sealing key: ${describeFailure(cause)}`, {
        cause,
      });
    }
  };
  const openRow = async (row: DataKeyRow): Promise<StoredSealingKey> => {
    const { kid, serial, sealed, seals_from: sealsFrom } = row;
    const id = JSON.stringify([kid, serial, sealsFrom, sealed]);
    const known = opened.get(id);
    if (known !== undefined) return known;
    const { Plaintext: key } = await ask(async () =>
      client.send(
        new DecryptCommand({
          KeyId: kmsKey,
          CiphertextBlob: Buffer.from(sealed, "base64"),
          EncryptionContext: contextOf(row),
        }),
      ),
    );
    if (key?.length !== KEY_BYTES) throw new SealingKeyUnusable("what KMS opened is not a sealing key");
    const stored = { kid, key, sealsFrom };
    opened.set(id, stored);
    return stored;
  };
  const readRows = async (): Promise<StoredSealingKey[]> =>
    Promise.all((await listDataKeys(database)).map(openRow));

  /** Undefined: somebody else has made the one of this serial. */
  const make = async (serial: number, sealsFrom: number): Promise<StoredSealingKey | undefined> => {
    const bound = { kid: randomBytes(8).toString("hex"), serial, seals_from: sealsFrom };
    const made = await ask(async () =>
      client.send(
        new GenerateDataKeyCommand({
          KeyId: kmsKey,
          KeySpec: "AES_256",
          EncryptionContext: contextOf(bound),
        }),
      ),
    );
    const sealed = Buffer.from(made.CiphertextBlob ?? []).toString("base64");
    const row = { ...bound, kms_key: made.KeyId ?? kmsKey, sealed, created_at: now() };
    return (await keepDataKey(database, row)) ? openRow(row) : undefined;
  };
  return {
    async read() {
      const keys = await readRows();
      if (keys.length > 0) return keys;
      await make(1, 0);
      return readRows();
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
    case "IncorrectKeyException":
      return "a data key was made under another KMS key";
    case "InvalidCiphertextException":
      return "a row of data_keys was altered or belongs to another database";
    default:
      return error.name;
  }
}
