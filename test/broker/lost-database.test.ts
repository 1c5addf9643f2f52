/** A broker whose database is gone refuses, says so, and goes on by itself when it is back. */
import { rename } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../support/broker.ts";
import { chooseDatabase, databaseFile } from "../support/database-choice.ts";
import {
  POSTGRES_START_TIMEOUT_MS,
  type PostgresServer,
  skipsPostgres,
  startPostgres,
} from "../support/postgres.ts";
import { Holder, call, exchange } from "../support/session-holder.ts";

async function expectRefusals(on: TestBroker, holder: Holder): Promise<void> {
  const stranger = await Holder.create();
  const answers = await Promise.all([
    exchange(on, stranger, { subjectToken: await on.subjectToken({ run_id: "2" }) }),
    call(on, holder, "GET /session"),
    call(on, holder, "POST /session/renew", { subject_token: await on.subjectToken() }),
  ]);
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(JSON.stringify(answer.body)).not.toMatch(/sqlite|postgres|127\.0\.0\.1|ECONN/i);
  }
  const ready = await fetch(`${on.url}/readyz`);
  expect(ready.status).toBe(503);
  expect((await fetch(`${on.url}/healthz`)).status).toBe(200);
}

async function expectAnswers(on: TestBroker, holder: Holder): Promise<void> {
  expect((await fetch(`${on.url}/readyz`)).status).toBe(200);
  expect((await call(on, holder, "GET /session")).status).toBe(200);
  const renewed = await call(on, holder, "POST /session/renew", { subject_token: await on.subjectToken() });
  expect(renewed.status).toBe(200);
  const stranger = await Holder.create();
  const subjectToken = await on.subjectToken({ run_id: "2" });
  expect((await exchange(on, stranger, { subjectToken })).status).toBe(200);
}

test("a SQLite file that is moved away, and back", async () => {
  const on = await startTestBroker();
  const holder = await Holder.create();
  expect((await exchange(on, holder)).status).toBe(200);
  const path = databaseFile(on.config.database);
  await rename(path, `${path}.away`);
  await expectRefusals(on, holder);
  await rename(`${path}.away`, path);
  await expectAnswers(on, holder);
  await on.close();
});

describe.skipIf(skipsPostgres)("PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
    chooseDatabase(async () => server.createDatabase());
  }, POSTGRES_START_TIMEOUT_MS);
  afterAll(async () => {
    await server.stop();
  });

  test("that stops and starts again", async () => {
    const on = await startTestBroker();
    const holder = await Holder.create();
    expect((await exchange(on, holder)).status).toBe(200);
    await server.halt();
    await expectRefusals(on, holder);
    await server.resume();
    await expectAnswers(on, holder);
    await on.close();
  }, 60_000);

  test("that crashes under load: whoever was answered has a session, whoever was not can repeat the exchange", async () => {
    const on = await startTestBroker();
    const exchangeOne = async (index: number) => {
      const holder = await Holder.create();
      const run = { run_id: String(3_000 + index) };
      const { status, body } = await exchange(on, holder, { subjectToken: await on.subjectToken(run) });
      return { holder, run, status, scope: body.scope };
    };
    const load: ReturnType<typeof exchangeOne>[] = [];
    for (let index = 0; index < 40; index += 1) {
      load.push(exchangeOne(index));
      if (index === 20) load.push(server.halt().then(async () => exchangeOne(999)));
      if (index % 4 === 0) await load[index];
    }
    const answers = await Promise.all(load);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    await server.resume();
    for (const { holder, run, status } of answers) {
      if (status === 200) {
        expect((await call(on, holder, "GET /session")).status).toBe(200);
      } else {
        const again = await exchange(on, holder, { subjectToken: await on.subjectToken(run) });
        expect(again.status).toBe(200);
      }
    }
    await on.close();
  }, 60_000);
});

describe.skipIf(skipsPostgres)("a broker does not start", () => {
  test("on a PostgreSQL that is not there: one message that names it, without a password", async () => {
    chooseDatabase(async () => ({ kind: "postgres", url: "postgres://lanyard:canary@127.0.0.1:1/lanyard" }));
    const failed = await startTestBroker().catch((error: unknown) => error);
    expect(String(failed)).toMatch(
      /LANYARD_DATABASE: cannot prepare .*127\.0\.0\.1:1\/lanyard: .*ECONNREFUSED/,
    );
    expect(JSON.stringify(failed) + String(failed)).not.toContain("canary");
  });
});
