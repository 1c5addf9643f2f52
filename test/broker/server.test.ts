/** Starting, failing to start, restarting and stopping. */
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BrokerConfig } from "../../broker/config.ts";
import { StartFailed, startBroker } from "../../broker/server.ts";
import { type TestBroker, startTestBroker } from "../support/broker.ts";
import { databaseFile } from "../support/database-choice.ts";
import {
  Holder,
  LogWriter,
  SEAL,
  announce,
  call,
  exchange,
  note,
  upload,
} from "../support/session-holder.ts";

let on: TestBroker;
beforeEach(async () => {
  on = await startTestBroker();
});
afterEach(async () => {
  await on.close();
});

/** The problems of a broker that is started on what this one left. */
async function problemsOf(changed: Partial<BrokerConfig>): Promise<readonly string[]> {
  await on.broker.close();
  try {
    const broker = await startBroker({ config: { ...on.config, ...changed } });
    await broker.close();
    return [];
  } catch (error) {
    if (!(error instanceof StartFailed)) throw error;
    return error.problems;
  }
}

describe("a broker does not start", () => {
  test("on a bucket that cannot be written: one message that names it", async () => {
    await writeFile(join(on.directory, "file"), "");
    const path = join(on.directory, "file", "audit");
    const problems = await problemsOf({ audit: { kind: "folder", path } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("LANYARD_AUDIT");
    expect(problems[0]).toContain(path);
  });

  test("on broken policies: every problem with its file, line and key", async () => {
    await writeFile(
      join(on.config.policies, "roles.yaml"),
      "roles:\n  reader: { grants: [{ server: nowhere, tools: [x] }] }\n",
    );
    const problems = await problemsOf({});
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem).toMatch(/^LANYARD_POLICIES: .+\.yaml:\d+:\d+: /);
    expect(problems.join("\n")).toContain("roles.yaml:2");
  });

  test("with another sealing key than its database was made with", async () => {
    const problems = await problemsOf({ keys: join(on.directory, "another-key.json") });
    expect(problems).toEqual([expect.stringContaining("LANYARD_KEYS: ")]);
    expect(problems[0]).toContain("another sealing key");
  });

  test("with a sealing key that others can read, or that is something else", async () => {
    await chmod(on.config.keys, 0o644);
    expect((await problemsOf({}))[0]).toContain(`chmod 600 ${on.config.keys}`);
    await chmod(on.config.keys, 0o600);
    await writeFile(on.config.keys, '{"k":"canary"}');
    expect(await problemsOf({})).toEqual([expect.stringContaining("not a sealing key")]);
    await writeFile(on.config.keys, "canary");
    expect((await problemsOf({})).join()).not.toContain("canary");
  });

  test("on a database that is none", async () => {
    const path = join(on.directory, "text.sqlite");
    await writeFile(path, "this is text, and long enough to be no database at all. ".repeat(100));
    expect(await problemsOf({ database: { kind: "sqlite", path } })).toEqual([
      expect.stringMatching(/^LANYARD_DATABASE: .*text\.sqlite/),
    ]);
  });

  test("on a port that is taken", async () => {
    const other = createServer();
    const listening = Promise.withResolvers<void>();
    other.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(await problemsOf({ listen: { host: "127.0.0.1", port } })).toEqual([
      expect.stringContaining("LANYARD_LISTEN"),
    ]);
    expect(await problemsOf({ publicUrl: "https://a.example", listen: { host: "127.0.0.1", port } })).toEqual(
      [expect.stringContaining("LANYARD_LISTEN")],
    );
    other.close();
  });

  test("all of it wrong: all of it is said at once", async () => {
    await writeFile(join(on.directory, "file"), "");
    const wrong = join(on.directory, "file", "x");
    const problems = await problemsOf({
      policies: wrong,
      audit: { kind: "folder", path: wrong },
      database: { kind: "sqlite", path: wrong },
      keys: wrong,
    });
    const variables = new Set(problems.map((problem) => problem.slice(0, problem.indexOf(":"))));
    expect([...variables].sort()).toEqual([
      "LANYARD_AUDIT",
      "LANYARD_DATABASE",
      "LANYARD_KEYS",
      "LANYARD_POLICIES",
    ]);
  });
});

test("files with secrets are readable by their owner only", async () => {
  for (const path of [on.config.keys, databaseFile(on.config.database)]) {
    expect((await stat(path)).mode & 0o077, path).toBe(0);
  }
});

test("the private keys lie sealed in the database, the sealing key nowhere but in its file", async () => {
  const { k } = JSON.parse(await readFile(on.config.keys, "utf8"));
  await on.broker.close();
  const database = await readFile(databaseFile(on.config.database));
  expect(database.includes(Buffer.from(k))).toBe(false);
  expect(database.includes(Buffer.from('"d"'))).toBe(false);
  expect(JSON.stringify(on.logged)).not.toContain(k);
});

test("the broker restarted mid-run: the session goes on, its log is complete", async () => {
  const holder = await Holder.create();
  await exchange(on, holder);
  const log = new LogWriter(() => on.now());
  const first = await log.segment([note("one")]);
  const { body } = await announce(on, holder, first);
  const on2 = await on.restart();
  expect((await upload(body.upload, first.body)).status).toBe(200);
  expect((await call(on2, holder, "GET /session")).status).toBe(200);
  const last = await log.segment([SEAL]);
  const answer = await announce(on2, holder, last);
  expect((await upload(answer.body.upload, last.body)).status).toBe(200);
  const { segment: segments, last_seq, head } = last.request;
  expect((await call(on2, holder, "POST /session/seal", { segments, last_seq, head })).status).toBe(200);
  await on2.broker.close();
});

test("a policy that is changed meanwhile does not change a session; a robot that is taken away is not renewed", async () => {
  const holder = await Holder.create();
  await exchange(on, holder);
  const before = await call(on, holder, "GET /session");
  await writeFile(
    join(on.config.policies, "roles.yaml"),
    "roles:\n  reader: { grants: [{ server: everything, tools: [other] }] }\n",
  );
  const robots = await readFile(join(on.config.policies, "robots/acme/payments.yaml"), "utf8");
  await writeFile(
    join(on.config.policies, "robots/acme/payments.yaml"),
    robots.replace("roles: [reader, writer]", "roles: [reader]"),
  );
  const on2 = await on.restart();
  expect((await call(on2, holder, "GET /session")).body.policy).toEqual(before.body.policy);
  const renewed = await call(on2, holder, "POST /session/renew", { subject_token: await on2.subjectToken() });
  expect(renewed.status).toBe(400);
  expect(on2.lastRefusal().detail).toContain("role_not_bound");
  await on2.broker.close();
});

test("the bucket breaks while the broker runs: no session starts, the answer says why, and it heals", async () => {
  const holder = await Holder.create();
  const audit = join(on.directory, "audit");
  const { rename } = await import("node:fs/promises");
  await rename(audit, `${audit}.away`);
  await writeFile(audit, "");
  on.advance(31_000);
  const refused = await exchange(on, holder);
  expect(refused).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
  expect(refused.body.error_description).toContain("audit log");
  expect(JSON.stringify(refused.body)).not.toContain(on.directory);
  expect((await fetch(`${on.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${on.url}/healthz`)).status).toBe(200);
  const { rm } = await import("node:fs/promises");
  await rm(audit);
  await mkdir(audit);
  on.advance(6_000);
  expect((await exchange(on, holder)).status).toBe(200);
});

test("the store down: the exchange is refused, without a word about what is under it", async () => {
  const { DatabaseSync } = await import("node:sqlite");
  const holder = await Holder.create();
  const other = new DatabaseSync(databaseFile(on.config.database));
  other.exec("drop table used_proofs");
  other.close();
  const refused = await exchange(on, holder);
  expect(refused).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
  expect(JSON.stringify(refused.body)).not.toMatch(/sqlite|table/i);
  expect(on.lastRefusal().code).toBe("database_unavailable");
});

test("a session without a seal is expired by the sweeper, and used tokens are forgotten", async () => {
  const { openDatabase } = await import("../../broker/storage/database.ts");
  await exchange(on, await Holder.create());
  const database = await openDatabase(on.config.database);
  const read = async () => ({
    sessions: await database.selectFrom("sessions").select(["state", "ended_at"]).execute(),
    spent:
      (await database.selectFrom("used_tokens").selectAll().execute()).length +
      (await database.selectFrom("used_proofs").selectAll().execute()).length,
  });
  await on.broker.sweep();
  expect(await read()).toEqual({ sessions: [{ state: "active", ended_at: null }], spent: 2 });
  on.advance(16 * 60_000);
  await on.broker.sweep();
  expect(await read()).toEqual({ sessions: [{ state: "expired", ended_at: expect.any(Number) }], spent: 0 });
  await database.destroy();
});

test("a session that ended longer ago than it is kept is gone with the next sweep, and the log says so", async () => {
  const keeping = await startTestBroker({ config: () => ({ retentionDays: 40 }) });
  try {
    await exchange(keeping, await Holder.create());
    const removals = () => keeping.logged.filter(({ msg }) => msg === "sessions are no longer kept");
    const DAY_MS = 24 * 60 * 60_000;
    keeping.advance(40 * DAY_MS);
    await keeping.broker.sweep();
    expect(removals()).toEqual([]);
    keeping.advance(DAY_MS);
    await keeping.broker.sweep();
    expect(removals()).toMatchObject([{ sessions: 1, retentionDays: 40 }]);
  } finally {
    await keeping.close();
  }
});

test("a one-time link logs in once", async () => {
  await on.broker.close();
  const broker = await startBroker({ config: on.config, login: "one_time_link" });
  const url = broker.loginUrl("/runs");
  const first = await fetch(url, { redirect: "manual" });
  expect(first.status).toBe(303);
  expect(first.headers.get("location")).toBe("/runs");
  expect(first.headers.get("set-cookie")).toContain("HttpOnly");
  expect((await fetch(url, { redirect: "manual" })).status).toBe(410);
  await broker.close();
});

test("a graceful stop answers what is under way and takes nothing more", async () => {
  const holder = await Holder.create();
  const answers = Array.from({ length: 5 }, async (_, index) =>
    exchange(on, holder, { subjectToken: await on.subjectToken({ run_id: String(index) }) }),
  );
  const statuses = (await Promise.allSettled(answers)).map((each) => each.status);
  await on.broker.close();
  expect(statuses).toEqual(Array.from({ length: 5 }, () => "fulfilled"));
  await expect(fetch(`${on.url}/healthz`)).rejects.toThrow();
});
