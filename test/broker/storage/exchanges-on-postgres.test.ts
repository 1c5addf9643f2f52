/** What is tested on SQLite once more, word for word, with a real PostgreSQL under the broker. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseDatabase } from "../../support/database-choice.ts";
import {
  POSTGRES_START_TIMEOUT_MS,
  type PostgresServer,
  skipsPostgres,
  startPostgres,
} from "../../support/postgres.ts";

const made: { readonly url: string }[] = [];

describe.skipIf(skipsPostgres)("on PostgreSQL", async () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
    chooseDatabase(async () => {
      const database = await server.createDatabase();
      made.push(database);
      return database;
    });
  }, POSTGRES_START_TIMEOUT_MS);
  afterAll(async () => {
    await server.stop();
  });

  // Each in a block of its own, so that its brokers end with it.
  describe("token-route", async () => void (await import("../routes/token-route.test.ts")));
  describe("session-routes", async () => void (await import("../routes/session-routes.test.ts")));
  describe("assertion-grant", async () => void (await import("../routes/assertion-grant.test.ts")));
  describe("revocation", async () => void (await import("../routes/revocation.test.ts")));
  describe("workloads", async () => void (await import("../sessions/workloads.test.ts")));
  describe("renewal-and-revocation", async () =>
    void (await import("../sessions/renewal-and-revocation.test.ts")));
  describe("uniform-refusals", async () => void (await import("../sessions/uniform-refusals.test.ts")));
  describe("segments", async () => void (await import("../custody/segments.test.ts")));
  describe("recovery", async () => void (await import("../custody/recovery.test.ts")));

  test("all of this was on PostgreSQL", async () => {
    const counts = await Promise.all(
      made.map(
        async (database) => (await server.query(database, "select count(*) from sessions"))[0]?.["count"],
      ),
    );
    expect(counts.map(Number).filter((count) => count > 0).length).toBeGreaterThan(4);
  });
});
