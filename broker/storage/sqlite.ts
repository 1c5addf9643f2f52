/**
 * SQLite through Node's own `node:sqlite`, as Kysely's SQLite dialect wants it.
 * A commit that returned is on the disk; other processes (the command line) may use the same file at the same time.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { type Dialect, SqliteDialect, type SqliteDatabase, type SqliteStatement } from "kysely";

/** How long a statement waits for another process's transaction. */
const BUSY_TIMEOUT_MS = 5_000;
/** Statements kept ready, the least recently used dropped first. */
const MAX_STATEMENTS = 200;

/** Opens or makes the file (mode 0600, as it names workloads) and its directory. Throws what the file system says. */
export function openSqlite(path: string): Dialect {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  chmodSync(path, 0o600);
  connection.exec("pragma journal_mode = wal");
  connection.exec("pragma synchronous = full");
  return new SqliteDialect({ database: new Connection(connection) });
}

class Connection implements SqliteDatabase {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  prepare(sql: string): SqliteStatement {
    // A transaction that reads first and writes later could not wait for another writer: it takes its place at once.
    const text = sql === "begin" ? "begin immediate" : sql;
    const statement = this.#statements.get(text) ?? asKyselyStatement(this.#connection.prepare(text));
    this.#statements.delete(text);
    this.#statements.set(text, statement);
    if (this.#statements.size > MAX_STATEMENTS) {
      const [oldest = text] = this.#statements.keys();
      this.#statements.delete(oldest);
    }
    return statement;
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }
}

/** The database cannot be read or written: it is locked by somebody else, its disk is full, its file is damaged. */
export class DatabaseUnavailable extends Error {
  readonly code = "database_unavailable";
}

function asKyselyStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => guard(() => statement.all(...parameters.map(toSqlValue))),
    run: (parameters) => guard(() => statement.run(...parameters.map(toSqlValue))),
    iterate: (parameters) => guard(() => statement.iterate(...parameters.map(toSqlValue))),
  };
}

function guard<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_SQLITE_ERROR") {
      throw new DatabaseUnavailable(`the database refused: ${cause.message}`, { cause });
    }
    throw cause;
  }
}

function toSqlValue(value: unknown): SQLInputValue {
  if (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "bigint" ||
    value instanceof Uint8Array
  ) {
    return value;
  }
  throw new TypeError(`a query was given a ${typeof value}, which SQLite cannot store`);
}
