/**
 * One SQLite file, through Node's own `node:sqlite`, in a thread of its own.
 * A commit that returned is on the disk. A file that was moved away or replaced is not written to: what is accepted
 * there would be lost; once a file stands in its place again, it is opened anew.
 */
import { type Stats, chmodSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { SqliteAnswer, SqliteRow, SqliteSettings } from "./sqlite-messages.ts";
import { DatabaseUnavailable } from "../unavailable.ts";

/** How long a statement waits for another process's transaction; nothing else runs in the meantime. */
const BUSY_TIMEOUT_MS = 2_000;
/**
 * Keys are random, so pages all over the file are needed again and again. Not larger: a commit after which a page was
 * split walks through all of the cache, while a page that is not in it is one read from the system's.
 */
const CACHE_KIB = 16 * 1024;
/** Pages (4 KiB) of the write-ahead log that are written into the file together: those that changed often, once. */
const CHECKPOINT_PAGES = 8_000;
/** Statements kept ready, the least recently used dropped first. */
const MAX_STATEMENTS = 200;
/** Those of large groups have many lengths, and take memory. */
const MAX_STATEMENT_LENGTH = 16 * 1024;

export class SqliteFile {
  readonly #settings: SqliteSettings;
  readonly #statements = new Map<string, StatementSync>();
  #connection: DatabaseSync | undefined;
  #opened: Stats;

  /** Opens or makes the file (mode 0600, as it names workloads) and its directory. Throws what the file system says. */
  constructor(settings: SqliteSettings) {
    this.#settings = settings;
    mkdirSync(dirname(settings.path), { recursive: true, mode: 0o700 });
    this.#connection = connect(settings.path);
    chmodSync(settings.path, 0o600);
    this.#opened = statSync(settings.path);
  }

  begin(): void {
    this.#confirm().exec("begin immediate");
  }

  /** In a transaction that was begun, once for each of the parameters. How many rows each changed. */
  write(sql: string, parameters: readonly (readonly SQLInputValue[])[]): number[] {
    const statement = this.#prepare(this.#begun, sql);
    return parameters.map((each) => Number(statement.run(...each).changes));
  }

  /** The same. The rows that were found. */
  read(sql: string, parameters: readonly (readonly SQLInputValue[])[]): SqliteRow[] {
    const statement = this.#prepare(this.#begun, sql);
    return parameters.flatMap((each) => statement.all(...each));
  }

  run(sql: string, parameters: readonly SQLInputValue[], { begin }: { begin: boolean }): SqliteAnswer {
    // Between transactions: in the middle of one, its commit looks.
    const connection = this.#connection?.isTransaction === true ? this.#connection : this.#confirm();
    // A transaction that reads first and writes later could not wait for another writer: it takes its place at once.
    if (begin) connection.exec("begin immediate");
    const statement = this.#prepare(connection, sql);
    if (statement.columns().length > 0) {
      const rows = statement.all(...parameters);
      return { ok: true, rows, changes: undefined };
    }
    const { changes } = statement.run(...parameters);
    if (!connection.isTransaction) this.#delay();
    return { ok: true, rows: [], changes: Number(changes) };
  }

  commit(): void {
    const { path } = this.#settings;
    if (!isSame(this.#opened, path)) throw new DatabaseUnavailable(`${path} is not the file that was opened`);
    this.#connection?.exec("commit");
    this.#delay();
  }

  rollback(): void {
    // SQLite has done it by itself after some errors.
    if (this.#connection?.isTransaction === true) this.#connection.exec("rollback");
  }

  close(): void {
    this.#statements.clear();
    this.#connection?.close();
    this.#connection = undefined;
  }

  get #begun(): DatabaseSync {
    if (this.#connection?.isTransaction !== true) throw new DatabaseUnavailable("the transaction has ended");
    return this.#connection;
  }

  #confirm(): DatabaseSync {
    const { path } = this.#settings;
    if (this.#connection !== undefined && isSame(this.#opened, path)) return this.#connection;
    this.close();
    const present = statSync(path, { throwIfNoEntry: false });
    if (present === undefined) throw new DatabaseUnavailable(`${path} is not there any more`);
    this.#connection = connect(path);
    this.#opened = present;
    return this.#connection;
  }

  #prepare(connection: DatabaseSync, sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? connection.prepare(sql);
    if (sql.length > MAX_STATEMENT_LENGTH) return statement;
    this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > MAX_STATEMENTS) {
      const [oldest = sql] = this.#statements.keys();
      this.#statements.delete(oldest);
    }
    return statement;
  }

  #delay(): void {
    const { commitDelayMs } = this.#settings;
    if (commitDelayMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, commitDelayMs);
  }
}

function connect(path: string): DatabaseSync {
  const connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    connection.exec("pragma journal_mode = wal");
    connection.exec("pragma synchronous = full");
    connection.exec(`pragma cache_size = -${CACHE_KIB}`);
    connection.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    return connection;
  } catch (cause) {
    connection.close();
    throw cause;
  }
}

function isSame({ dev, ino }: Stats, path: string): boolean {
  const present = statSync(path, { throwIfNoEntry: false });
  return present?.dev === dev && present.ino === ino;
}
