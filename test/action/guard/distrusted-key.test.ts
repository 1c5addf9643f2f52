/** A proxy whose token was signed by a key that is distrusted while it runs, before a real broker. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { describeGenesis } from "../../../action/guard/genesis.ts";
import { sealLog } from "../../../action/guard/sealing.ts";
import { type SessionLog, openSessionLog } from "../../../action/guard/session-log.ts";
import { type Session, openSession } from "../../../action/guard/session.ts";
import { createHttp } from "../../../action/wire/http-request.ts";
import { createProofKey } from "../../../action/wire/proof-key.ts";
import { distrustKey } from "../../../broker/keys/distrust.ts";
import { loadSealingKey } from "../../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { call } from "../log-entries.ts";

let on: TestBroker;
let directory: string;
let session: Session;
let log: SessionLog;
let halted: string[];
beforeEach(async () => {
  on = await startTestBroker();
  directory = await mkdtemp(join(tmpdir(), "lanyard-distrusted-"));
  const http = createHttp({});
  session = await openSession(
    { http, broker: on.url, subjectToken: async () => on.subjectToken() },
    { key: await createProofKey(), robot: "acme/payments/triager", roles: [] },
  );
  halted = [];
  const { document, client } = session;
  const plan = { ...document.audit, segment_interval_ms: 10 };
  log = openSessionLog({ directory, plan, client, http, onHalt: (reason) => halted.push(reason) });
  const genesis = {
    document,
    broker: on.url,
    agents: ["agent"],
    servers: [],
    runnerEnvironment: "github-hosted",
  };
  log.record(describeGenesis({ ...genesis, bundle: Buffer.from("bundle") }));
});
afterEach(async () => {
  await on.close();
  await rm(directory, { recursive: true, force: true });
});

async function distrustTokenKey(): Promise<void> {
  const published = await (await fetch(`${on.url}/.well-known/jwks.json`)).json();
  const [{ kid }] = (published as { keys: [{ kid: string }] }).keys;
  const database = await openDatabase(on.config.database);
  const sealingKey = await loadSealingKey(on.config.keys);
  expect(await distrustKey(kid, { database, sealingKey, now: on.now() })).toMatchObject({ ok: true });
  await database.destroy();
  await on.broker.refreshKeys();
}

const patience = () => ({ untilMs: performance.now() + 60_000, firstPauseMs: 10, maxPauseMs: 1_000 });

test("it goes on with the same session: renewed, its log shipped and sealed", async () => {
  await vi.waitUntil(() => log.shipping.segments === 1, { timeout: 30_000 });
  await distrustTokenKey();
  log.record(call());
  await vi.waitUntil(() => log.shipping.segments >= 2, { timeout: 30_000 });
  expect(session.state()).toEqual({ active: true });
  const read = await session.client.read(patience());
  expect(read).toMatchObject({ ok: true, value: { session: session.document.session } });

  await distrustTokenKey();
  expect(await session.client.renew(patience())).toMatchObject({ ok: true });
  expect(await sealLog({ client: session.client, log, closeProxy: async () => undefined }, "done")).toEqual({
    status: "sealed",
  });
  expect(halted).toEqual([]);
}, 120_000);

test("revoked in the meantime: no other token is to be had, and the log is given up at once", async () => {
  await vi.waitUntil(() => log.shipping.segments === 1, { timeout: 30_000 });
  const database = await openDatabase(on.config.database);
  await database.updateTable("sessions").set({ state: "revoked", ended_at: on.now() }).execute();
  await database.destroy();
  await distrustTokenKey();
  log.record(call());
  await vi.waitUntil(() => halted.length > 0, { timeout: 30_000 });
  expect(await session.client.renew(patience())).toMatchObject({ ok: false, error: "invalid_token" });
});
