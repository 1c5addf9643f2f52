/**
 * A bounded pool of connections to PostgreSQL in which nothing waits for ever: neither for a connection nor for an
 * answer, a lock or a peer that is gone. What goes wrong is told apart: the database cannot be used, two transactions
 * collided, or a statement of ours is wrong.
 */
import pg from "pg";
import { DatabaseUnavailable, TransactionsCollided } from "../unavailable.ts";

/** Of one broker; PostgreSQL's own default allows a hundred in all. */
const MAX_CONNECTIONS = 10;
/** For a connection of the pool, new or freed by somebody else. */
const CONNECT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 3_000;
const STATEMENT_TIMEOUT_MS = 5_000;
/** A transaction whose broker hangs lets its rows go. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
/** The server ends a statement before that, unless the line to it is dead. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 2_000;
/** While the tables are prepared: brokers that start at the same time wait for the one that does it. */
const PREPARE_TIMEOUT_MS = 300_000;
const IDLE_TIMEOUT_MS = 60_000;
/** An address that leads to another server by now is noticed in time. */
const MAX_LIFETIME_SECONDS = 1_800;

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: deadlock, serialization failure. */
const COLLISIONS = ["40P01", "40001"];
/** A policy that was found to be there, or to be nobody's, until another transaction was committed. */
const SHARED_ROWS = ["sessions_policy_fkey", "policy_changes_policy_fkey"];
/** Classes of what is a bug of ours: a wrong value, a violated constraint, a wrong statement or state. */
const BUGS = ["0A", "21", "22", "23", "25", "26", "34", "42"];
/** Of those classes, but not ours: a server that became a standby, a transaction left too long, tables that are gone. */
const NOT_BUGS = ["25006", "25P03", "42P01"];

export interface PostgresSettings {
  readonly url: string;
  /** For the migrations: one connection, and patience. */
  readonly preparing: boolean;
}

export function openPool({ url, preparing }: PostgresSettings): pg.Pool {
  const timeout = (milliseconds: number): number => (preparing ? PREPARE_TIMEOUT_MS : milliseconds);
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, parseInteger);
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "lanyard",
    max: preparing ? 1 : MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: timeout(STATEMENT_TIMEOUT_MS),
    query_timeout: timeout(ANSWER_TIMEOUT_MS),
    lock_timeout: timeout(LOCK_TIMEOUT_MS),
    idle_in_transaction_session_timeout: timeout(IDLE_IN_TRANSACTION_TIMEOUT_MS),
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    keepAlive: true,
    // What is asked before an answer has come is on its way at once.
    pipeline: true,
    types,
  });
  // A connection that is lost while nothing is asked of it says so here; what is asked of it next fails.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** 64-bit integers are times and counts, far below 2^53. */
function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new RangeError(`the database holds an integer beyond 2^53: ${text}`);
  return value;
}

/** What is to be thrown for what `pg` threw. */
export function explainFailure(cause: unknown): unknown {
  const message = `the database refused: ${describe(cause)}`;
  if (!(cause instanceof pg.DatabaseError)) return new DatabaseUnavailable(message, { cause });
  const { code = "", constraint = "" } = cause;
  if (COLLISIONS.includes(code) || SHARED_ROWS.includes(constraint))
    return new TransactionsCollided(message, { cause });
  const isBug = BUGS.includes(code.slice(0, 2)) && !NOT_BUGS.includes(code);
  return isBug ? cause : new DatabaseUnavailable(message, { cause });
}

/** A name with several addresses fails with an error for each, and without words of its own. */
function describe(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describe).join(", ");
  return cause instanceof Error ? cause.message : String(cause);
}
