/**
 * PostgreSQL as a dialect of Kysely. A connection that failed is not used again.
 */
import pg from "pg";
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
import { nameOfStatement } from "../ledger/statements.ts";
import { DatabaseUnavailable, TransactionsCollided } from "../unavailable.ts";

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
    const command = await connection.end("commit");
    // PostgreSQL answers so when a statement before it had failed.
    if (command === "ROLLBACK") throw new Error("the transaction had failed before it was committed");
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    // A connection that failed is closed, and the server undoes what it had begun.
    if (!connection.failed) await connection.end("rollback");
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

type Answer<R> = pg.QueryResult<R & pg.QueryResultRow>;

class PostgresConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  failed = false;
  /** A transaction begins together with its first statement. */
  #begins = false;
  /** That statement, until it is answered. */
  #beginning: Promise<unknown> | undefined;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  begin(): void {
    this.#begins = true;
  }

  async end(kind: "commit" | "rollback"): Promise<string> {
    const empty = this.#begins;
    this.#begins = false;
    return empty ? kind : (await this.query(kind)).command;
  }

  /** What is asked before an answer has come is on its way at once, but nothing before its transaction was begun. */
  async query<R>(sql: string, parameters: readonly unknown[] = []): Promise<Answer<R>> {
    if (!this.#begins) {
      await this.#beginning;
      return this.#send<R>(sql, parameters);
    }
    this.#begins = false;
    const beginning = this.#send<R>(sql, parameters, { begins: true });
    this.#beginning = beginning;
    try {
      return await beginning;
    } finally {
      this.#beginning = undefined;
    }
  }

  async #send<R>(
    sql: string,
    parameters: readonly unknown[],
    { begins } = { begins: false },
  ): Promise<Answer<R>> {
    try {
      const name = nameOfStatement(sql);
      const query = { text: sql, values: [...parameters], ...(name === undefined ? {} : { name }) };
      return begins
        ? await beginWith<R & pg.QueryResultRow>(this.#client, query)
        : await this.#client.query<R & pg.QueryResultRow>(query);
    } catch (error) {
      const explained = explainFailure(error);
      // What begins a transaction may have failed before it was begun: nothing else is asked of such a connection.
      this.failed ||=
        begins || (explained instanceof DatabaseUnavailable && !(explained instanceof TransactionsCollided));
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

/**
 * BEGIN and a statement in one message. The server skips the statement where BEGIN fails; sent one behind the other,
 * it would run, and commit by itself.
 */
async function beginWith<R extends pg.QueryResultRow>(
  client: pg.PoolClient,
  config: pg.QueryConfig,
): Promise<pg.QueryResult<R>> {
  const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult<R>>();
  // In messages of the same protocol, also where it has no parameters.
  const extended = { ...config, queryMode: "extended" };
  const query = new pg.Query<R>(extended, (error, results: unknown) => {
    if (isPair<R>(results)) resolve(results[1]);
    else reject(error ?? new Error("a transaction was not begun"));
  });
  const submit = query.submit.bind(query);
  query.submit = (connection) => {
    connection.stream.cork();
    connection.parse({ name: "", text: "begin", types: [] }, true);
    connection.bind({}, true);
    connection.execute(null, true);
    submit(connection);
    connection.stream.uncork();
  };
  client.query(query);
  return promise;
}

/** One for each of two statements in one message. */
function isPair<R extends pg.QueryResultRow>(results: unknown): results is [unknown, pg.QueryResult<R>] {
  return Array.isArray(results) && results.length === 2;
}
