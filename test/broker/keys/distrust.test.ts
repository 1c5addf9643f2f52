/** A key that somebody else may have: on one database, with replicas that notice in their time. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CheckpointClaims } from "../../../audit/manifest.ts";
import { signCheckpoint, verifyCheckpoint } from "../../../audit/signature.ts";
import { distrustKey } from "../../../broker/keys/distrust.ts";
import { PUBLISH_AHEAD_MS } from "../../../broker/keys/key-schedule.ts";
import { rotateKey } from "../../../broker/keys/rotation.ts";
import { type SealingKey, loadSealingKey } from "../../../broker/keys/sealing-key.ts";
import { type SigningKeys, loadSigningKeys } from "../../../broker/keys/signing-keys.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import type { Queries } from "../../../broker/storage/schema.ts";
import { describeOnBoth } from "../../support/both-databases.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { Holder, call, exchange } from "../../support/session-holder.ts";

describeOnBoth((create) => {
  let directory: string;
  let database: Queries;
  let sealingKey: SealingKey;
  let now: number;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "lanyard-distrust-"));
    database = await openDatabase(await create());
    sealingKey = await loadSealingKey(join(directory, "sealing-key.json"));
    now = 1_800_000_000_000;
  });
  afterEach(async () => {
    await database.destroy();
    await rm(directory, { recursive: true, force: true });
  });

  const load = async (): Promise<SigningKeys> => loadSigningKeys({ database, sealingKey, now: () => now });
  const distrust = async (kid: string) => distrustKey(kid, { database, sealingKey, now });
  const rowOf = async (kid: string) =>
    database.selectFrom("signing_keys").selectAll().where("kid", "=", kid).executeTakeFirstOrThrow();
  const kidsOf = ({ tokenKeys }: SigningKeys) => tokenKeys.keys.map(({ kid }) => kid);
  const sign = async ({ token }: SigningKeys): Promise<string> =>
    new SignJWT({}).setProtectedHeader({ alg: "ES256", kid: token.kid }).sign(token.privateKey);

  test("a token key leaves every replica's key set, its tokens are refused, another one signs at once", async () => {
    const [one, other] = [await load(), await load()];
    const { kid } = one.token;
    const token = await sign(one);
    expect(await distrust(kid)).toMatchObject({
      ok: true,
      purpose: "token",
      already: false,
      key: { kid, phase: "distrusted", distrustedAt: now },
      signing: { phase: "signing", signsFrom: now },
    });
    // Who read the keys a moment ago does not ask again for one that it does not know.
    now += 5_000;
    for (const replica of [one, other]) {
      await replica.refresh();
      expect(kidsOf(replica)).toEqual([replica.token.kid]);
      expect(replica.token.kid).not.toBe(kid);
      await expect(jwtVerify(token, replica.findTokenKey)).rejects.toMatchObject({
        code: "ERR_JWKS_NO_MATCHING_KEY",
      });
      await expect(jwtVerify(await sign(replica), other.findTokenKey)).resolves.toBeDefined();
    }
    expect(one.token.kid).toBe(other.token.kid);
  });

  test("its private half is destroyed", async () => {
    const { kid } = (await load()).token;
    await distrust(kid);
    const row = await rowOf(kid);
    const opened = await sealingKey.open(`signing key: token ${kid}`, row.sealed_private_jwk);
    expect(JSON.parse(Buffer.from(opened).toString())).toEqual(
      expect.not.objectContaining({ d: expect.anything() }),
    );
  });

  test("a key that waits takes over; none is made beside it", async () => {
    const keys = await load();
    const { kid } = keys.token;
    const rotation = await rotateKey("token", { database, sealingKey, now });
    now += 1_000;
    const waiting = rotation.ok ? rotation.key.kid : "";
    expect(await distrust(kid)).toMatchObject({ ok: true, signing: { kid: waiting } });
    await keys.refresh();
    expect(kidsOf(keys)).toEqual([waiting]);
    expect(await rotateKey("token", { database, sealingKey, now })).toMatchObject({
      ok: true,
      previous: { kid: waiting },
    });
  });

  test("both of a purpose at once, ten times each: one more signs", async () => {
    const keys = await load();
    const rotation = await rotateKey("token", { database, sealingKey, now });
    const kids = [keys.token.kid, rotation.ok ? rotation.key.kid : ""];
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => distrust(kids[index % 2] ?? "")),
    );
    expect(outcomes.filter((each) => each.ok && !each.already)).toHaveLength(2);
    await keys.refresh();
    expect(kidsOf(keys)).toEqual([keys.token.kid]);
    expect(kids).not.toContain(keys.token.kid);
  });

  test("a second time changes nothing, and an unknown one is told", async () => {
    const { kid } = (await load()).token;
    await distrust(kid);
    const before = await rowOf(kid);
    now += 5_000;
    expect(await distrust(kid)).toMatchObject({ ok: true, already: true, key: { kid } });
    expect(await rowOf(kid)).toEqual(before);
    expect(await distrust("nobody's")).toEqual({ ok: false, code: "unknown" });
  });

  test("a checkpoint key stays published and says since when: what says that it is older verifies", async () => {
    const keys = await load();
    const { checkpoint } = keys;
    const claimsAt = (at: number): CheckpointClaims => ({
      session: "ses_1",
      segment: 1,
      sha256: "a".repeat(64),
      seq: 9,
      head: "b".repeat(64),
      iat: Math.floor(at / 1000),
    });
    const [before, after] = [
      await signCheckpoint(claimsAt(now - 1_000), checkpoint),
      await signCheckpoint(claimsAt(now), checkpoint),
    ];
    await distrust(checkpoint.kid);
    await keys.refresh();
    expect(keys.checkpointKeys.keys).toMatchObject([
      { kid: checkpoint.kid, revoked: { revoked_at: now / 1000, reason: "compromised" } },
      { kid: keys.checkpoint.kid },
    ]);
    expect(keys.checkpoint.kid).not.toBe(checkpoint.kid);
    expect(keys.checkpointKeys.keys[1]).not.toHaveProperty("revoked");
    expect(await verifyCheckpoint(before, keys.checkpointKeys)).toMatchObject({ ok: true });
    expect(await verifyCheckpoint(after, keys.checkpointKeys)).toMatchObject({
      ok: false,
      code: "key_distrusted",
    });
    const newer = await signCheckpoint(claimsAt(now + 60_000), keys.checkpoint);
    expect(await verifyCheckpoint(newer, keys.checkpointKeys)).toMatchObject({ ok: true });
  });

  test("whoever can write to the database, without the sealing key, cannot take it back", async () => {
    const keys = await load();
    const { kid } = keys.token;
    await distrust(kid);
    await keys.refresh();
    await database.updateTable("signing_keys").set({ distrusted_at: null }).where("kid", "=", kid).execute();
    await expect(keys.refresh()).rejects.toMatchObject({ code: "sealing_key_unusable" });
    expect(kidsOf(keys)).not.toContain(kid);
    await expect(load()).rejects.toMatchObject({ code: "sealing_key_unusable" });
  });

  test("a later rotation leaves it as it is", async () => {
    const keys = await load();
    const { kid } = keys.token;
    await distrust(kid);
    const before = await rowOf(kid);
    now += PUBLISH_AHEAD_MS * 100;
    expect(await rotateKey("token", { database, sealingKey, now })).toMatchObject({ ok: true });
    expect(await rowOf(kid)).toEqual(before);
  });
});

describe("a broker that runs", () => {
  let on: TestBroker;
  beforeEach(async () => {
    on = await startTestBroker();
  });
  afterEach(async () => {
    await on.close();
  });

  test("refuses the access tokens of a distrusted key, publishes it no more, and goes on with the next", async () => {
    const holder = await Holder.create();
    expect((await exchange(on, holder)).status).toBe(200);
    expect((await call(on, holder, "GET /session")).status).toBe(200);
    const published = async () => (await fetch(`${on.url}/.well-known/jwks.json`)).json();
    const [{ kid }] = ((await published()) as { keys: [{ kid: string }] }).keys;

    const database = await openDatabase(on.config.database);
    const sealingKey = await loadSealingKey(on.config.keys);
    await distrustKey(kid, { database, sealingKey, now: on.now() });
    await database.destroy();
    await on.broker.refreshKeys();

    expect(JSON.stringify(await published())).not.toContain(kid);
    expect((await call(on, holder, "GET /session")).status).toBe(401);
    expect(on.lastRefusal().code).toBe("access_token_invalid");
    expect((await exchange(on, holder, { subjectToken: await on.subjectToken() })).status).toBe(200);
    expect((await call(on, holder, "GET /session")).status).toBe(200);
  });
});
