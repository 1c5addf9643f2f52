/**
 * The ledger: the writes that every session needs, those of exchanges and renewals, many in one commit.
 */
import { type Admission, type Admitted, admit } from "./admissions.ts";
import { GroupCommit } from "./group-commit.ts";
import { type Renewal, type Renewed, renewAll } from "./renewals.ts";
import type { Queries } from "./schema.ts";
import { inTransaction, runsSideBySide } from "./transactions.ts";

/** SQLite has one writer. On PostgreSQL one group is decided here while the other is on its way to the disk. */
const LANES_SIDE_BY_SIDE = 2;

export interface Ledger {
  /** Throws `DatabaseUnavailable` when nothing was written, or nobody knows: the request can be repeated. */
  admit(admission: Admission): Promise<Admitted>;
  /** The same. */
  renew(renewal: Renewal): Promise<Renewed>;
}

export function openLedger(database: Queries): Ledger {
  const lanes = runsSideBySide(database) ? LANES_SIDE_BY_SIDE : 1;
  const admissions = new GroupCommit<Admission, Admitted>({
    lanes,
    commit: async (requests) => inTransaction(database, async (db) => admit(db, requests)),
  });
  const renewals = new GroupCommit<Renewal, Renewed>({
    lanes,
    commit: async (requests) => inTransaction(database, async (db) => renewAll(db, requests)),
  });
  return {
    admit: async (admission) => admissions.submit(admission),
    renew: async (renewal) => renewals.submit(renewal),
  };
}
