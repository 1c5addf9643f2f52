/** A database for many brokers, a bucket on the disk of one: said at the start, and only where it is so. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestBroker } from "../support/broker.ts";
import {
  POSTGRES_START_TIMEOUT_MS,
  type PostgresServer,
  skipsPostgres,
  startPostgres,
} from "../support/postgres.ts";

const warningsOf = async (database?: Awaited<ReturnType<PostgresServer["createDatabase"]>>) => {
  const on = await startTestBroker(database === undefined ? {} : { config: () => ({ database }) });
  await on.close();
  return on.logged.filter(({ msg }) => String(msg).includes("must share it"));
};

test("SQLite and a folder belong to one broker: nothing is said", async () => {
  expect(await warningsOf()).toEqual([]);
});

describe.skipIf(skipsPostgres)("PostgreSQL and a folder", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, POSTGRES_START_TIMEOUT_MS);
  afterAll(async () => {
    await server.stop();
  });

  test("one line, which names the folder and the setting", async () => {
    const warnings = await warningsOf(await server.createDatabase());
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({
      level: 40,
      folder: expect.stringMatching(/audit$/),
      msg: expect.stringContaining("LANYARD_AUDIT"),
    });
  });
});
