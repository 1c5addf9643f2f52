/**
 * SQLite as a dialect of Kysely: one connection, held by a thread of its own, used by one caller after the other.
 * Whoever waits too long for it is told that the database cannot be used; other processes (the command line) may use
 * the same file at the same time.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { Decisions, Group } from "../ledger/group.ts";
import type { Queries } from "../schema.ts";
import { SqliteLink } from "./sqlite-link.ts";
import type { SqliteSettings } from "./sqlite-messages.ts";
import { toSqlValue } from "./sqlite-value.ts";
import { DatabaseUnavailable } from "../unavailable.ts";

/** For those before oneself; longer than one of them waits for another process. */
const WAIT_TIMEOUT_MS = 5_000;

/** Throws what the file system says. */
export async function openSqlite(settings: SqliteSettings): Promise<Dialect> {
  const link = new SqliteLink(settings);
  await link.open();
  const driver = new SqliteDriver(link);
  return {
    createAdapter: () => new Adapter(driver),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Decides a group in a transaction where the file is held, in one message there and one back; undefined: elsewhere. */
export function decideInThread(db: Queries): ((group: Group) => Promise<Decisions>) | undefined {
  const { adapter } = db.getExecutor();
  return adapter instanceof Adapter ? async (group) => adapter.decide(group) : undefined;
}

class Adapter extends SqliteAdapter {
  readonly #driver: SqliteDriver;

  constructor(driver: SqliteDriver) {
    super();
    this.#driver = driver;
  }

  async decide(group: Group): Promise<Decisions> {
    return this.#driver.decide(group);
  }

  /** The driver lets one caller after the other have the connection. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }

  /** It does, and its transactions exclude each other: of two brokers that start at once one migrates, one finds it done. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;
  readonly #waiting = new Set<() => void>();
  #taken = false;

  constructor(link: SqliteLink) {
    this.#connection = new SqliteConnection(link);
  }

  async init(): Promise<void> {
    // The file is open.
  }

  async acquireConnection(): Promise<SqliteConnection> {
    if (this.#taken) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      const timer = setTimeout(() => {
        if (this.#waiting.delete(resolve))
          reject(new DatabaseUnavailable("waited too long for the database"));
      }, WAIT_TIMEOUT_MS);
      try {
        await promise;
      } finally {
        clearTimeout(timer);
      }
    }
    this.#taken = true;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken = false;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  async decide(group: Group): Promise<Decisions> {
    const connection = await this.acquireConnection();
    try {
      return await connection.decide(group);
    } finally {
      await this.releaseConnection();
    }
  }

  async beginTransaction(): Promise<void> {
    this.#connection.begin();
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.end("commit");
  }

  async rollbackTransaction(): Promise<void> {
    await this.#connection.end("rollback");
  }

  async destroy(): Promise<void> {
    await this.#connection.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #link: SqliteLink;
  /** A transaction begins together with its first statement. */
  #begins = false;

  constructor(link: SqliteLink) {
    this.#link = link;
  }

  begin(): void {
    this.#begins = true;
  }

  async end(kind: "commit" | "rollback"): Promise<void> {
    const empty = this.#begins;
    this.#begins = false;
    if (!empty) await this.#link.ask({ kind });
  }

  async decide(group: Group): Promise<Decisions> {
    return this.#link.decide(group);
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const begin = this.#begins;
    this.#begins = false;
    const { rows, changes } = await this.#link.ask<R>({
      kind: "statement",
      sql,
      parameters: parameters.map(toSqlValue),
      begin,
    });
    return changes === undefined ? { rows } : { rows, numAffectedRows: BigInt(changes) };
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("results are read whole");
  }
}
