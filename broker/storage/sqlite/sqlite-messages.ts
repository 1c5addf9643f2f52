/** What passes between the broker's thread and the thread that holds the SQLite file. */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
export interface SqliteSettings {
  readonly path: string;
  /** Added to every commit, as a slow disk would: for measurements. */
  readonly commitDelayMs: number;
}

export type SqliteRequest =
  | {
      readonly kind: "statement";
      readonly sql: string;
      readonly parameters: readonly SQLInputValue[];
      /** Take the place of the one writer first. */
      readonly begin: boolean;
    }
  /** A transaction of its own: a `Group`, as JSON, since a text passes from thread to thread for less than its parts. */
  | { readonly kind: "group"; readonly group: string }
  | { readonly kind: "commit" | "rollback" | "close" };

export type SqliteRow = Record<string, SQLOutputValue>;

export interface SqliteAnswer<Row = SqliteRow> {
  readonly ok: true;
  readonly rows: Row[];
  /** Absent for statements that return rows. */
  readonly changes: number | undefined;
}

export interface SqliteDecisions {
  readonly ok: true;
  /** `Decisions`, as JSON. */
  readonly decisions: string;
}

export interface SqliteFailure {
  readonly ok: false;
  readonly message: string;
  /** False: the statement is wrong, which is a bug. */
  readonly unavailable: boolean;
}
