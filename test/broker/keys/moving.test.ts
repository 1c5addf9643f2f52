/** The sealing key moves from a file to AWS KMS and back, under running brokers, and nothing that was sealed is lost. */
import { existsSync } from "node:fs";
import { readFile, rename } from "node:fs/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { KeysConfig } from "../../../broker/config-values.ts";
import { createVault } from "../../../broker/credentials/vault/vault.ts";
import { findKeySource } from "../../../broker/keys/configured-keys.ts";
import { listKeyUse, resealAll } from "../../../broker/keys/resealing.ts";
import { type SealingKey, openSealingKey } from "../../../broker/keys/sealing-key.ts";
import { type RunningBroker, startBroker } from "../../../broker/server.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import type { Queries } from "../../../broker/storage/schema.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { type KmsPeer, startKmsPeer } from "../../support/kms-peer.ts";
import { Holder, exchange, readAnswer } from "../../support/session-holder.ts";

const AHEAD_MS = 600_000;

let kms: KmsPeer;
let on: TestBroker;
let database: Queries;
const running: RunningBroker[] = [];
beforeEach(async () => {
  kms = await startKmsPeer();
  for (const [name, value] of Object.entries(kms.environment)) vi.stubEnv(name, value);
  on = await startTestBroker();
  database = await openDatabase(on.config.database);
});
afterEach(async () => {
  for (const broker of running.splice(0)) await broker.close();
  await database.destroy();
  await on.close();
  vi.unstubAllEnvs();
  await kms.close();
});

const start = async (keys: KeysConfig): Promise<RunningBroker> => {
  const broker = await startBroker({ config: { ...on.config, keys, publicUrl: on.url }, now: on.now });
  running.push(broker);
  return broker;
};
const sourceOf = async (keys: KeysConfig) => findKeySource(keys, { database, now: on.now });
const open = async (keys: KeysConfig): Promise<SealingKey> => openSealingKey(await sourceOf(keys), on.now);
const vaultOf = (sealingKey: SealingKey) => createVault({ database, sealingKey, now: on.now });
const secretIn = async (sealingKey: SealingKey) => {
  const [opened] = await vaultOf(sealingKey).open({ name: "a", owner: "", kind: "bearer" });
  return Buffer.from(opened?.secret ?? []).toString();
};
/** A session at one broker is known at each: the salt of its log is asked for. */
const saltAt = async ({ address: { host, port } }: RunningBroker, holder: Holder) => {
  const { accessToken } = holder;
  const dpop = await holder.prove({ method: "GET", url: `${on.url}/session`, now: on.now(), accessToken });
  const headers = { authorization: `DPoP ${accessToken}`, dpop };
  return (await readAnswer(await fetch(`http://${host}:${port}/session`, { headers }))).body.audit.salt;
};

/** As an operator does it: each broker gets both places, one after the other; then the three steps of `keys reseal`. */
async function move(from: KeysConfig & (string | { kms: string }), to: string | { kms: string }) {
  const both = [to, from] as const;
  const old = await start(from);
  const early = await start(both);
  // Naming both changed nothing: who knows one place alone opens what who knows both seals.
  const source = await sourceOf(both);
  const key = await open(both);
  await vaultOf(key).set({ name: "a", owner: "", kind: "bearer", secret: Buffer.from("one"), by: "ann" });
  expect(await secretIn(await open(from))).toBe("one");
  const holder = await Holder.create();
  await exchange(on, holder);
  const salt = await saltAt(early, holder);
  expect(await saltAt(old, holder)).toBe(salt);

  const late = await start(both);
  const added = await source.add(on.now() + AHEAD_MS);
  on.advance(AHEAD_MS);
  expect(await resealAll(database, await open(both))).toBeGreaterThan(2);
  // Brokers that have not read their keys since.
  for (const broker of [early, late]) expect(await saltAt(broker, holder)).toBe(salt);
  expect(await secretIn(key)).toBe("one");
  return { source, both, added, holder, salt };
}

test("from a file to KMS: brokers run on, and without the file nothing is missing", async () => {
  const { source, both, added, salt, holder } = await move(on.config.keys, { kms: kms.key });
  const use = await listKeyUse(database, source, { sealingKey: await open(both), now: on.now() });
  expect(use.map(({ place, seals, sealed, sessions }) => [place, seals, sealed > 0, sessions])).toEqual([
    [`kms:${kms.key}`, true, true, 0],
    [`file:${on.config.keys}`, false, false, 1],
  ]);
  // Its last session is over by then.
  const former = use.find(({ seals }) => !seals)?.kid ?? "";
  const last = await start(both);
  expect(await saltAt(last, holder)).toBe(salt);
  await source.drop(former);
  expect(existsSync(on.config.keys)).toBe(false);
  await start({ kms: kms.key });
  const alone = await open({ kms: kms.key });
  expect([alone.kid, await secretIn(alone)]).toEqual([added.kid, "one"]);
});

test("from KMS to a file that is not there yet", async () => {
  await move(on.config.keys, { kms: kms.key });
  const file = `${on.config.keys}.new`;
  // What the one before left behind is nobody's.
  const middle = await sourceOf({ kms: kms.key });
  const from = { kms: kms.key };
  const source = await sourceOf([file, from]);
  const added = await source.add(on.now());
  expect(added.place).toBe(`file:${file}`);
  await resealAll(database, await open([file, from]));
  for (const { kid } of await middle.read()) await source.drop(kid);
  expect(await database.selectFrom("data_keys").selectAll().execute()).toEqual([]);
  await start(file);
  expect(await secretIn(await open(file))).toBe("one");
});

test("a place that was taken out too early, or was never named: the start says which key is missing, and makes none", async () => {
  const before = await readFile(on.config.keys, "utf8");
  const { kid } = JSON.parse(before);
  const message = new RegExp(`sealed with another sealing key \\("${kid}"\\), which is not in kms:`);
  await expect(start({ kms: kms.key })).rejects.toMatchObject({
    problems: [expect.stringMatching(message)],
  });
  expect(await database.selectFrom("data_keys").selectAll().execute()).toEqual([]);
  await rename(on.config.keys, `${on.config.keys}.away`);
  await expect(start(on.config.keys)).rejects.toMatchObject({
    problems: [expect.stringContaining(`("${kid}"), which is not in file:${on.config.keys}`)],
  });
  expect(existsSync(on.config.keys)).toBe(false);
  await rename(`${on.config.keys}.away`, on.config.keys);
  await start(on.config.keys);
});
