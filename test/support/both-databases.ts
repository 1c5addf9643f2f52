/** Runs a test on both databases: a file, and a real PostgreSQL, where there is one. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { DatabaseConfig } from "../../broker/config-values.ts";
import { POSTGRES_START_TIMEOUT_MS, type PostgresServer, skipsPostgres, startPostgres } from "./postgres.ts";

/** Makes a fresh, empty database. */
type CreateDatabase = () => Promise<DatabaseConfig>;

export function describeOnBoth(tests: (create: CreateDatabase) => void): void {
  describe("on SQLite", () => {
    let directory: string;
    let count = 0;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "lanyard-both-"));
    });
    afterAll(async () => {
      await rm(directory, { recursive: true, force: true });
    });
    tests(async () => {
      count += 1;
      return { kind: "sqlite", path: join(directory, `${count}.sqlite`) };
    });
  });
  describe.skipIf(skipsPostgres)("on PostgreSQL", () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres();
    }, POSTGRES_START_TIMEOUT_MS);
    afterAll(async () => {
      await server.stop();
    });
    tests(async () => server.createDatabase());
  });
}
