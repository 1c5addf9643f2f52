/**
 * The vault: what people set and authorization servers granted, sealed under the sealing key and bound to name, owner,
 * version and kind. The newest version counts; one before it is a fallback for as long as its rotation said.
 * It never logs, and no error of it holds a secret.
 */
import { createHmac } from "node:crypto";
import type { CredentialKindName } from "../../../policies/documents/credential-entry.ts";
import type { SealingKey } from "../../keys/sealing-key.ts";
import {
  type SecretOwner,
  eraseOverdueSecrets,
  eraseSecrets,
  forgetReplacements,
  keepSecret,
  limitSecret,
  listSecretVersions,
  lockSecretVersions,
  noteSecretUse,
} from "../../storage/credentials/credential-secrets.ts";
import type { CredentialSecretRow } from "../../storage/credentials/credential-tables.ts";
import type { Queries } from "../../storage/schema.ts";
import { inTransaction } from "../../storage/transactions.ts";
import { secretPurpose } from "./seal-purposes.ts";
import { createVersionWatch } from "./version-watch.ts";

/** The last use is written at most this often. */
const USE_NOTED_MS = 60_000;

interface NewSecret extends SecretOwner {
  readonly kind: CredentialKindName;
  readonly secret: Uint8Array;
  /** Who says so; null: the broker. */
  readonly by: string | null;
  /** When it runs out at its issuer, as far as is known. Milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
  /** How long the version before stays a fallback; absent or 0: not at all. */
  readonly overlapMs?: number;
}

export interface OpenedSecret {
  readonly version: number;
  readonly secret: Uint8Array;
  readonly digest: string;
  readonly expiresAt: number | undefined;
}

export interface VaultOptions {
  readonly database: Queries;
  readonly sealingKey: SealingKey;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Vault {
  /**
   * What counts now, the newest first, then those before it that are still a fallback. Empty: nothing is set for this
   * kind. Throws `SealingKeyUnusable` where a row is not what was sealed under its name, owner and version, and where
   * the database went back behind what was seen here before.
   */
  open(of: SecretOwner & { readonly kind: CredentialKindName }): Promise<readonly OpenedSecret[]>;
  /** Stores it as the next version, which counts at once. Returns its row. */
  set(secret: NewSecret): Promise<CredentialSecretRow>;
  /**
   * In a transaction: stores what the issuer gave in place of a version, which is erased. False: another version counts
   * by now, and nothing was changed.
   */
  replace(
    db: Queries,
    secret: Omit<NewSecret, "by" | "overlapMs"> & { readonly version: number },
  ): Promise<boolean>;
  /** Ends the fallback. */
  endOverlap(of: SecretOwner): Promise<void>;
  /** Erases every version. False: there was none. */
  remove(of: SecretOwner, by: string): Promise<boolean>;
  noteUse(of: SecretOwner & { readonly version: number }): Promise<void>;
  /** Erases what is no fallback any more. Nothing depends on when it is called. */
  sweep(): Promise<void>;
  /** HMAC in hex: equal secrets have equal digests, and nobody without the sealing key can try guesses. */
  digest(secret: Uint8Array): string;
}

export function createVault({ database, sealingKey, now }: VaultOptions): Vault {
  const digest = (secret: Uint8Array): string =>
    createHmac("sha256", sealingKey.derive("credential digests")).update(secret).digest("hex");

  const seal = async (
    { name, owner, kind, secret, by, expiresAt }: NewSecret,
    version: number,
  ): Promise<CredentialSecretRow> => ({
    name,
    owner,
    version,
    kind,
    sealed: await sealingKey.seal(secretPurpose({ name, owner, version, kind }), secret),
    digest: digest(secret),
    created_at: now(),
    created_by: by,
    expires_at: expiresAt ?? null,
    valid_until: null,
    last_used_at: null,
    erased_at: null,
    erased_by: null,
  });

  const watch = createVersionWatch();

  /** In a transaction. */
  const addVersion = async (
    db: Queries,
    given: NewSecret,
    rows: readonly CredentialSecretRow[],
  ): Promise<CredentialSecretRow> => {
    const added = await seal(given, (rows[0]?.version ?? 0) + 1);
    await keepSecret(db, added);
    const overlapMs = given.overlapMs ?? 0;
    const [before, ...others] = rows.filter(({ sealed }) => sealed !== null);
    const keepsBefore = before !== undefined && overlapMs > 0 && before.kind === given.kind;
    if (keepsBefore) await limitSecret(db, before, now() + overlapMs);
    const over = keepsBefore || before === undefined ? others : [before, ...others];
    const versions = over.map(({ version }) => version);
    await eraseSecrets(db, { ...given, versions }, { at: now(), by: null });
    return added;
  };

  return {
    async open({ name, owner, kind }) {
      const rows = await watch.list({ name, owner }, () => listSecretVersions(database, { name, owner }));
      const [newest] = rows;
      const opened: OpenedSecret[] = [];
      for (const row of rows) {
        const { version, sealed, digest: known, expires_at, valid_until } = row;
        const counts = row === newest || (valid_until ?? 0) > now();
        if (sealed === null || row.kind !== kind || !counts) continue;
        const secret = await sealingKey.open(secretPurpose(row), sealed);
        opened.push({ version, secret, digest: known, expiresAt: expires_at ?? undefined });
      }
      return opened;
    },
    set: async (given) =>
      inTransaction(database, async (db) => addVersion(db, given, await lockSecretVersions(db, given))),
    async replace(db, { version, ...given }) {
      const rows = await lockSecretVersions(db, given);
      if (rows[0]?.version !== version || rows[0].sealed === null) return false;
      await addVersion(db, { ...given, by: null }, rows);
      await forgetReplacements(db, { ...given, before: version + 1 });
      return true;
    },
    async endOverlap(of) {
      await inTransaction(database, async (db) => {
        const [, ...earlier] = await lockSecretVersions(db, of);
        const versions = earlier.map(({ version }) => version);
        await eraseSecrets(db, { ...of, versions }, { at: now(), by: null });
      });
    },
    async remove(of, by) {
      return inTransaction(database, async (db) => {
        const rows = (await lockSecretVersions(db, of)).filter(({ sealed }) => sealed !== null);
        const versions = rows.map(({ version }) => version);
        await eraseSecrets(db, { ...of, versions }, { at: now(), by });
        return rows.length > 0;
      });
    },
    noteUse: async (of) => noteSecretUse(database, of, { at: now(), after: now() - USE_NOTED_MS }),
    sweep: async () => eraseOverdueSecrets(database, now()),
    digest,
  };
}
