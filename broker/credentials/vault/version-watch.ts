/**
 * Versions go forward: a newest version that is older than one that was seen before, and one that is not erased any more,
 * were put back by somebody who writes to the database, since the seal binds a secret to its version and says nothing of
 * which one counts. What was seen lies in the memory of this process alone, and begins anew with it.
 */
import { SealingKeyUnusable } from "../../keys/key-source.ts";
import type { SecretOwner } from "../../storage/credentials/credential-secrets.ts";
import type { CredentialSecretRow } from "../../storage/credentials/credential-tables.ts";

interface Seen {
  readonly newest: number;
  /** Everything before it is erased. */
  readonly oldestKept: number;
}

export interface VersionWatch {
  /** What `read` finds, newest first. Throws `SealingKeyUnusable` where it is behind what was seen. */
  list(
    of: SecretOwner,
    read: () => Promise<readonly CredentialSecretRow[]>,
  ): Promise<readonly CredentialSecretRow[]>;
}

export function createVersionWatch(): VersionWatch {
  const seen = new Map<string, Seen>();
  return {
    async list({ name, owner }, read) {
      const key = JSON.stringify([name, owner]);
      for (let tries = 1; ; tries += 1) {
        const rows = await read();
        const found = look(rows);
        const before = seen.get(key);
        if (before === undefined || isForward(before, found)) {
          if (rows.length > 0) seen.set(key, found);
          return rows;
        }
        // What was read a moment before somebody else read is not behind when it is read again.
        if (tries === 2) {
          throw new SealingKeyUnusable(
            `the database has an earlier version of the secret ${name} than before (${found.newest}, after ${before.newest}): somebody put it back. If it was you, from a backup, start the broker again`,
          );
        }
      }
    },
  };
}

function look(rows: readonly CredentialSecretRow[]): Seen {
  const newest = rows[0]?.version ?? 0;
  const oldestKept = rows.findLast(({ sealed }) => sealed !== null)?.version ?? newest + 1;
  return { newest, oldestKept };
}

function isForward(before: Seen, found: Seen): boolean {
  return found.newest >= before.newest && found.oldestKept >= before.oldestKept;
}
