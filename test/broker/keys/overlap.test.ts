/** Rotation under running brokers: nothing that was valid is refused, on whichever replica. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeProtectedHeader } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import { verifySession } from "../../../audit/verification/verification.ts";
import { openFolderBucket } from "../../../broker/custody/folder-bucket.ts";
import { PUBLISH_AHEAD_MS } from "../../../broker/keys/key-schedule.ts";
import { rotateKey } from "../../../broker/keys/rotation.ts";
import { findSealingKey } from "../../../broker/keys/sealing-key.ts";
import { type RunningBroker, startBroker } from "../../../broker/server.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import type { KeyPurpose } from "../../../broker/storage/schema.ts";
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
  upload,
} from "../../support/session-holder.ts";

let on: TestBroker;
let replica: RunningBroker;
let holder: Holder;
beforeEach(async () => {
  on = await startTestBroker();
  replica = await startBroker({ config: { ...on.config, publicUrl: on.url }, now: on.now });
  holder = await Holder.create();
});
afterEach(async () => {
  await replica.close();
  await on.close();
});

/** As `lanyard keys rotate` does it: beside the brokers, on their database. */
async function rotate(purpose: KeyPurpose): Promise<void> {
  const database = await openDatabase(on.config.database);
  const sealingKey = await findSealingKey(on.config.keys);
  const rotation = await rotateKey(purpose, { database, sealingKey, now: on.now() });
  await database.destroy();
  expect(rotation.ok).toBe(true);
}
const kidOf = (token: string): string | undefined => decodeProtectedHeader(token).kid;
const kidsAt = async (origin: string, name = "jwks"): Promise<string[]> => {
  const answer = await readAnswer(await fetch(`${origin}/.well-known/${name}.json`));
  return answer.body.keys.map(({ kid }: { kid: string }) => kid);
};
const replicaOrigin = (): string => `http://${replica.address.host}:${replica.address.port}`;
/** The proof is for the public URL; the load balancer sent it to the other one. */
const callReplica = async (method: string, path: string, content?: unknown) => {
  const { accessToken } = holder;
  const dpop = await holder.prove({ method, url: `${on.url}${path}`, now: on.now(), accessToken });
  const headers = { authorization: `DPoP ${accessToken}`, dpop, "content-type": "application/json" };
  const body = content === undefined ? null : JSON.stringify(content);
  return readAnswer(await fetch(`${replicaOrigin()}${path}`, { method, headers, body }));
};

test("a token that was signed before the rotation verifies after it, on another replica too", async () => {
  await exchange(on, holder);
  const before = holder.accessToken;
  const [old] = await kidsAt(on.url);
  await rotate("token");
  await on.broker.refreshKeys();
  await replica.refreshKeys();
  expect(await kidsAt(on.url)).toEqual([old, expect.any(String)]);
  expect(await kidsAt(replicaOrigin())).toEqual(await kidsAt(on.url));

  const early = await exchange(on, await Holder.create(), {
    subjectToken: await on.subjectToken({ run_id: "2" }),
  });
  expect(kidOf(early.body.access_token)).toBe(old);

  on.advance(PUBLISH_AHEAD_MS);
  expect((await call(on, holder, "GET /session")).status).toBe(200);
  expect((await callReplica("GET", "/session")).status).toBe(200);
  const renewed = await callReplica("POST", "/session/renew", { subject_token: await on.subjectToken() });
  expect(renewed.status).toBe(200);
  holder.accessToken = renewed.body.access_token;
  expect(kidOf(holder.accessToken)).not.toBe(old);
  expect((await call(on, holder, "GET /session")).status).toBe(200);
  holder.accessToken = before;
  expect((await call(on, holder, "GET /session")).status).toBe(200);
});

test("a replica that missed the rotation accepts what the others sign, and signs with the new key from then on", async () => {
  const [old] = await kidsAt(on.url);
  await rotate("token");
  await replica.refreshKeys();
  on.advance(PUBLISH_AHEAD_MS);
  await exchange(on, holder);
  expect(kidOf(holder.accessToken)).toBe(old);
  const renewed = await callReplica("POST", "/session/renew", { subject_token: await on.subjectToken() });
  holder.accessToken = renewed.body.access_token;
  expect(kidOf(holder.accessToken)).not.toBe(old);
  expect((await call(on, holder, "GET /session")).status).toBe(200);
  expect(await kidsAt(on.url)).toEqual(await kidsAt(replicaOrigin()));
});

test("the last token of the old key still hands in its log a day after it ran out", async () => {
  await rotate("token");
  await on.broker.refreshKeys();
  on.advance(PUBLISH_AHEAD_MS - 5_000);
  const [old] = await kidsAt(on.url);
  await exchange(on, holder);
  expect(kidOf(holder.accessToken)).toBe(old);
  on.advance(24 * 3_600_000 + 14 * 60_000);
  const log = new LogWriter(on.now);
  expect((await announce(on, holder, await log.segment([SEAL]))).status).toBe(200);
  expect(await kidsAt(on.url)).toContain(old);
  on.advance(2 * 3_600_000);
  expect(await kidsAt(on.url)).not.toContain(old);
});

test("a log with checkpoints of two keys verifies", async () => {
  await exchange(on, holder);
  const session = await call(on, holder, "GET /session");
  const log = new LogWriter(on.now);
  const first = await log.segment([genesisOf(on, session.body)]);
  const announced = await announce(on, holder, first);
  await upload(announced.body.upload, first.body);
  await rotate("checkpoint");
  await on.broker.refreshKeys();
  on.advance(PUBLISH_AHEAD_MS);

  const { segment, last_seq, head } = first.request;
  const signature = announced.body.checkpoint;
  const second = await log.segment([{ kind: "checkpoint", segment, last_seq, head, signature }]);
  const next = await announce(on, holder, second);
  await upload(next.body.upload, second.body);
  expect(kidOf(next.body.checkpoint)).not.toBe(kidOf(signature));
  const countersigned = {
    kind: "checkpoint" as const,
    segment: 2,
    last_seq: second.request.last_seq,
    head: second.request.head,
    signature: next.body.checkpoint,
  };
  const third = await log.segment([countersigned, SEAL]);
  await upload((await announce(on, holder, third)).body.upload, third.body);
  const end = { segments: 3, last_seq: third.request.last_seq, head: third.request.head };
  expect((await call(on, holder, "POST /session/seal", end)).body.status).toBe("sealed");

  const { body: keys } = await readAnswer(await fetch(`${on.url}/.well-known/checkpoint-keys.json`));
  const folder = join(on.directory, "audit");
  const bucket = openFolderBucket({
    path: folder,
    publicUrl: on.url,
    uploadSecrets: () => [Buffer.alloc(32)],
    now: on.now,
  });
  const objects = await bucket.list("audit/v1/");
  const prefix = objects.find((key) => key.endsWith("/manifest.json"))?.replace("manifest.json", "") ?? "";
  const source = {
    list: async () => (await bucket.list(prefix)).map((key) => key.slice(prefix.length)),
    read: async (object: string) => readFile(join(folder, prefix, object)),
  };
  const verdict = await verifySession(source, keys, { location: prefix });
  expect(verdict.problems).toEqual([]);
  expect(verdict).toMatchObject({ status: "complete", checkpoints: 2 });
  const without = await verifySession(source, { keys: keys.keys.slice(0, 1) }, { location: prefix });
  expect(without.problems).not.toEqual([]);
});
