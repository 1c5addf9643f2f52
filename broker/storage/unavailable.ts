/**
 * Why a database did nothing, in two kinds that callers tell apart: it cannot be used now (somebody else's fault, the
 * request can be repeated), or two transactions stood in each other's way (nothing was written, try again at once).
 * Whatever else a database says is a bug and keeps its own error.
 */

/** It is gone, locked, full, damaged, read-only, or too slow to answer in time. */
export class DatabaseUnavailable extends Error {
  readonly code = "database_unavailable";
}

/** A deadlock, a serialization failure, a row that another one removed: the transaction was undone as a whole. */
export class TransactionsCollided extends DatabaseUnavailable {}
