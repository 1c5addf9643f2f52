/**
 * A real PostgreSQL for tests, started by the script in the folder that LANYARD_TEST_TOOLS names, or in one beside the
 * clone. Where there is none, tests that need it are skipped and say why; in CI they fail.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { env } from "node:process";
import { promisify } from "node:util";
import pg from "pg";
import type { DatabaseConfig } from "../../broker/config-values.ts";

const run = promisify(execFile);
const TOOLS = env["LANYARD_TEST_TOOLS"] ?? resolve(import.meta.dirname, "..", "..", "..", "shared", "tools");
const SCRIPT = join(TOOLS, "start-pg.sh");
export const POSTGRES_START_TIMEOUT_MS = 90_000;

/** Undefined: there is one. */
export const whyNoPostgres = existsSync(SCRIPT)
  ? undefined
  : "no PostgreSQL: set LANYARD_TEST_TOOLS to a folder with start-pg.sh, which starts one in a folder";

/** For `describe.skipIf`: in CI nothing is skipped. */
export const skipsPostgres = whyNoPostgres !== undefined && env["CI"] === undefined;

export interface PostgresServer {
  /** A fresh, empty database, as a broker is configured with it. */
  createDatabase(): Promise<Extract<DatabaseConfig, { kind: "postgres" }>>;
  /** One statement in a database of its own making. */
  query(database: { readonly url: string }, sql: string): Promise<Record<string, unknown>[]>;
  /** Cuts every connection without a word, as a crash does. */
  halt(): Promise<void>;
  /** Starts again what was halted, at the same address and with what was committed. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<PostgresServer> {
  if (whyNoPostgres !== undefined) throw new Error(whyNoPostgres);
  const directory = await mkdtemp(join(tmpdir(), "lanyard-postgres-"));
  // The server does not run as root.
  await chmod(directory, 0o755);
  const start = async (...port: string[]): Promise<string> => {
    const { stdout } = await run(SCRIPT, ["start", directory, ...port], {
      timeout: POSTGRES_START_TIMEOUT_MS,
    });
    const url = /^DATABASE_URL=(.+)$/m.exec(stdout)?.[1];
    if (url === undefined) throw new Error(`${SCRIPT} printed no DATABASE_URL`);
    return url;
  };
  const halt = async (): Promise<void> => {
    await run(SCRIPT, ["stop", directory]);
  };
  const administration = await start();
  const query: PostgresServer["query"] = async ({ url }, sql) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    createDatabase: async () => {
      const name = `lanyard_${randomBytes(6).toString("hex")}`;
      await query({ url: administration }, `create database ${name}`);
      const url = new URL(administration);
      url.pathname = `/${name}`;
      return { kind: "postgres", url: url.href };
    },
    query,
    halt,
    resume: async () => {
      await start(new URL(administration).port);
    },
    stop: async () => {
      await halt();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
