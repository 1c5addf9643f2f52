/**
 * PostgreSQL as a dialect of Kysely. A connection that failed is not used again.
 */
import type pg from "pg";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import { type PostgresSettings, explainFailure, openPool } from "./postgres-pool.ts";
import { nameOfStatement } from "./statements.ts";
import { DatabaseUnavailable, TransactionsCollided } from "./unavailable.ts";

const WRITES = ["INSERT", "UPDATE", "DELETE"];

export function openPostgres(settings: PostgresSettings): Dialect {
  const driver = new PostgresDriver(openPool(settings));
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class PostgresDriver implements Driver {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {
    // The pool connects when it is asked.
  }

  async acquireConnection(): Promise<PostgresConnection> {
    try {
      return new PostgresConnection(await this.#pool.connect());
    } catch (error) {
      throw explainFailure(error);
    }
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
  }

  async beginTransaction(connection: PostgresConnection): Promise<void> {
    connection.begin();
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    const { command } = await connection.query("commit");
    // PostgreSQL answers so when a statement before it had failed.
    if (command === "ROLLBACK") throw new Error("the transaction had failed before it was committed");
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    // A connection that failed is closed, and the server undoes what it had begun.
    if (!connection.failed) await connection.query("rollback");
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

class PostgresConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  failed = false;
  #begun: Promise<unknown> | undefined;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  /** It is on its way together with the first statement, which is answered only if it succeeded. */
  begin(): void {
    this.#begun = this.#send("begin", []);
    // Whoever asks next hears of it.
    this.#begun.catch(() => undefined);
  }

  async query<R>(
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<pg.QueryResult<R & pg.QueryResultRow>> {
    const begun = this.#begun;
    this.#begun = undefined;
    if (begun === undefined) return this.#send<R>(sql, parameters);
    const [result] = await Promise.all([this.#send<R>(sql, parameters), begun]);
    return result;
  }

  async #send<R>(
    sql: string,
    parameters: readonly unknown[],
  ): Promise<pg.QueryResult<R & pg.QueryResultRow>> {
    try {
      const name = nameOfStatement(sql);
      const query = { text: sql, values: [...parameters], ...(name === undefined ? {} : { name }) };
      return await this.#client.query<R & pg.QueryResultRow>(query);
    } catch (error) {
      const explained = explainFailure(error);
      this.failed ||=
        explained instanceof DatabaseUnavailable && !(explained instanceof TransactionsCollided);
      throw explained;
    }
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, command, rowCount } = await this.query<R>(sql, parameters);
    return WRITES.includes(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
  }

  release(): void {
    this.#client.release(this.failed);
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("results are read whole");
  }
}
