/** The sealing key is changed under running brokers: nothing that was valid is refused, on whichever of them. */
import { readFile } from "node:fs/promises";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createVault } from "../../../broker/credentials/vault/vault.ts";
import { openKeyFile } from "../../../broker/keys/key-file.ts";
import { SEALED_COLUMNS, listKeyUse, resealAll } from "../../../broker/keys/resealing.ts";
import { rotateKey } from "../../../broker/keys/rotation.ts";
import { type SealingKey, findSealingKey, kidOf } from "../../../broker/keys/sealing-key.ts";
import { type RunningBroker, startBroker } from "../../../broker/server.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import type { Queries } from "../../../broker/storage/schema.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import {
  Holder,
  LogWriter,
  SEAL,
  announce,
  call,
  exchange,
  genesisOf,
  readAnswer,
} from "../../support/session-holder.ts";

const AHEAD_MS = 600_000;

let on: TestBroker;
let replica: RunningBroker;
let database: Queries;
beforeEach(async () => {
  on = await startTestBroker();
  replica = await startBroker({ config: { ...on.config, publicUrl: on.url }, now: on.now });
  database = await openDatabase(on.config.database);
});
afterEach(async () => {
  await database.destroy();
  await replica.close();
  await on.close();
});

const key = async (): Promise<SealingKey> => findSealingKey(on.config.keys, on.now);
const use = async () =>
  listKeyUse(database, openKeyFile(on.config.keys), { sealingKey: await key(), now: on.now() });
const saltOf = async (holder: Holder): Promise<string> =>
  (await call(on, holder, "GET /session")).body.audit.salt;
const saltAtReplica = async (holder: Holder) => {
  const { accessToken } = holder;
  const dpop = await holder.prove({ method: "GET", url: `${on.url}/session`, now: on.now(), accessToken });
  const headers = { authorization: `DPoP ${accessToken}`, dpop };
  const { host, port } = replica.address;
  return (await readAnswer(await fetch(`http://${host}:${port}/session`, { headers }))).body.audit.salt;
};

test("a broker that has not read the file again opens what was sealed anew, and sessions keep their salt", async () => {
  const early = await Holder.create();
  await exchange(on, early);
  const salt = await saltOf(early);
  const vault = createVault({ database, sealingKey: await key(), now: on.now });
  const [before] = await use();
  await vault.set({ name: "a", owner: "", kind: "bearer", secret: Buffer.from("secret"), by: "ann" });

  const added = await openKeyFile(on.config.keys).add(on.now() + AHEAD_MS);
  expect((await readFile(on.config.keys, "utf8")).match(/"kid"/g)).toHaveLength(2);
  expect((await key()).kid).toBe(before?.kid);
  on.advance(AHEAD_MS);
  // Two signing keys, one secret.
  expect(await resealAll(database, await key())).toBe(3);
  expect(await resealAll(database, await key())).toBe(0);
  const place = `file:${on.config.keys}`;
  expect(await use()).toEqual([
    { kid: before?.kid, place, sealsFrom: 0, seals: false, sealed: 0, sessions: 1 },
    { kid: added.kid, place, sealsFrom: added.sealsFrom, seals: true, sealed: 3, sessions: 0 },
  ]);

  // What was there before, by a vault that knows only the former key.
  expect(
    Buffer.from((await vault.open({ name: "a", owner: "", kind: "bearer" }))[0]?.secret ?? []).toString(),
  ).toBe("secret");
  // Both brokers read signing keys that they know sealed otherwise.
  const { ok } = await rotateKey("token", { database, sealingKey: await key(), now: on.now() });
  expect(ok).toBe(true);
  await replica.refreshKeys();
  expect(await saltOf(early)).toBe(salt);
  expect(await saltAtReplica(early)).toBe(salt);

  // A session under the new key, opened here, asked for there.
  await on.broker.refreshKeys();
  const late = await Holder.create();
  await exchange(on, late, { subjectToken: await on.subjectToken({ run_id: "2" }) });
  expect(await saltAtReplica(late)).toBe(await saltOf(late));
  const salts = await database.selectFrom("sessions").select("salt_key").orderBy("created_at").execute();
  expect(salts).toEqual([{ salt_key: before?.kid }, { salt_key: added.kid }]);
});

test("an address for an upload that one broker signed is good at another, whenever each was started", async () => {
  const holder = await Holder.create();
  await exchange(on, holder);
  const log = new LogWriter(on.now);
  const first = await log.segment([genesisOf(on, (await call(on, holder, "GET /session")).body)]);
  const second = await log.segment([SEAL]);
  const putAt = async ({ address }: RunningBroker, { url, headers }: Upload, body: Buffer) => {
    const { pathname, search } = new URL(url);
    const to = `http://${address.host}:${address.port}${pathname}${search}`;
    const { status } = await fetch(to, { method: "PUT", headers, body: Buffer.from(body) });
    return status;
  };

  await openKeyFile(on.config.keys).add(on.now() + AHEAD_MS);
  on.advance(AHEAD_MS - 60_000);
  const before = await announce(on, holder, first);
  on.advance(120_000);
  const late = await startBroker({ config: { ...on.config, publicUrl: on.url }, now: on.now });
  try {
    expect(await putAt(late, before.body.upload, first.body)).toBe(200);
    await on.broker.refreshKeys();
    const after = await announce(on, holder, second);
    expect(await putAt(late, after.body.upload, second.body)).toBe(200);
    // One that has yet to read the new key refuses what it signed, and takes it a moment later.
    expect(await putAt(replica, after.body.upload, second.body)).toBe(403);
    await replica.refreshKeys();
    expect(await putAt(replica, after.body.upload, second.body)).toBe(412);
  } finally {
    await late.close();
  }
});

interface Upload {
  readonly url: string;
  readonly headers: Record<string, string>;
}

test("a key that nothing uses is dropped, and everything opens with the one that is left", async () => {
  const source = openKeyFile(on.config.keys);
  const [former] = await use();
  await source.add(on.now());
  await resealAll(database, await key());
  await source.drop(former?.kid ?? "");
  const again = await startBroker({ config: { ...on.config, publicUrl: on.url }, now: on.now });
  await again.close();
  const [left, ...others] = await use();
  expect(others).toEqual([]);
  expect(left).toMatchObject({ seals: true, sealed: 2 });
});

test("a row that changes while it is sealed anew is left as it is", async () => {
  await openKeyFile(on.config.keys).add(on.now());
  const sealingKey = await key();
  const vault = createVault({ database, sealingKey, now: on.now });
  await vault.set({ name: "a", owner: "", kind: "bearer", secret: Buffer.from("one"), by: "ann" });
  const removing: SealingKey = {
    ...sealingKey,
    kid: "another",
    open: async (purpose, sealed) => {
      const opened = await sealingKey.open(purpose, sealed);
      await vault.remove({ name: "a", owner: "" }, "bob");
      return opened;
    },
  };
  await resealAll(database, removing);
  expect(await database.selectFrom("credential_secrets").select("sealed").execute()).toEqual([
    { sealed: null },
  ]);
});

test("more rows than are read at a time are all sealed anew", async () => {
  const sealingKey = await key();
  const vault = createVault({ database, sealingKey, now: on.now });
  for (let index = 0; index < 205; index += 1) {
    await vault.set({
      name: `c${index % 3}`,
      owner: `o/r/${index}`,
      kind: "bearer",
      secret: Buffer.from("s"),
      by: "a",
    });
  }
  const added = await openKeyFile(on.config.keys).add(on.now());
  await resealAll(database, await key());
  const rows = await database.selectFrom("credential_secrets").select("sealed").execute();
  expect(new Set(rows.map(({ sealed }) => kidOf(sealed ?? "")))).toEqual(new Set([added.kid]));
});

test("every column that is called sealed is sealed anew, but for what KMS sealed", async () => {
  const { rows } = await sql<{ name: string }>`
    select t.name || '.' || c.name as name from sqlite_schema t, pragma_table_info(t.name) c
    where t.type = 'table' and c.name like 'sealed%' and lower(c.type) = 'text'
  `.execute(database);
  const known = SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`);
  expect([...known, "data_keys.sealed"].sort()).toEqual(rows.map(({ name }) => name).sort());
});
