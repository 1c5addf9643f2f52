/** Keys in a real database: sealed to what they are for, rotated once, and what a writer of the database cannot do. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createKey } from "../../../broker/keys/key-material.ts";
import { PUBLISH_AHEAD_MS } from "../../../broker/keys/key-schedule.ts";
import { rotateKey } from "../../../broker/keys/rotation.ts";
import { type SealingKey, loadSealingKey } from "../../../broker/keys/sealing-key.ts";
import { type SigningKeys, loadSigningKeys } from "../../../broker/keys/signing-keys.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import type { Queries } from "../../../broker/storage/schema.ts";

let directory: string;
let database: Queries;
let sealingKey: SealingKey;
let now: number;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-rotation-"));
  database = await openDatabase({ kind: "sqlite", path: join(directory, "broker.sqlite") });
  sealingKey = await loadSealingKey(join(directory, "sealing-key.json"));
  now = 1_800_000_000_000;
});
afterEach(async () => {
  await database.destroy();
  await rm(directory, { recursive: true, force: true });
});

const load = async (): Promise<SigningKeys> => loadSigningKeys({ database, sealingKey, now: () => now });
const rotate = async (purpose: "token" | "checkpoint" = "token") =>
  rotateKey(purpose, { database, sealingKey, now });
const rows = async () =>
  database.selectFrom("signing_keys").selectAll().orderBy("purpose").orderBy("serial").execute();
const kidsOf = ({ tokenKeys }: SigningKeys) => tokenKeys.keys.map(({ kid }) => kid);
const sign = async ({ token }: SigningKeys): Promise<string> =>
  new SignJWT({}).setProtectedHeader({ alg: "ES256", kid: token.kid }).sign(token.privateKey);

describe("rotation", () => {
  test("a new key is published, signs ten minutes later, and the old one still verifies", async () => {
    const keys = await load();
    const [old] = kidsOf(keys);
    const before = await sign(keys);
    const rotation = await rotate();
    expect(rotation).toMatchObject({
      ok: true,
      key: { phase: "pending", signsFrom: now + PUBLISH_AHEAD_MS },
      previous: { kid: old, phase: "signing" },
    });
    await keys.refresh();
    expect(kidsOf(keys)).toHaveLength(2);
    expect(keys.token.kid).toBe(old);
    now += PUBLISH_AHEAD_MS;
    expect(keys.token.kid).toBe(rotation.ok ? rotation.key.kid : "");
    await expect(jwtVerify(before, keys.findTokenKey)).resolves.toBeDefined();
    await expect(jwtVerify(await sign(keys), keys.findTokenKey)).resolves.toBeDefined();
  });

  test("two days later the old token key is not published any more, the old checkpoint key is", async () => {
    const keys = await load();
    const before = await sign(keys);
    await rotate("token");
    await rotate("checkpoint");
    await keys.refresh();
    now += 2 * 24 * 3_600_000;
    expect(keys.tokenKeys.keys).toHaveLength(1);
    expect(keys.checkpointKeys.keys).toHaveLength(2);
    await expect(jwtVerify(before, keys.findTokenKey)).rejects.toMatchObject({
      code: "ERR_JWKS_NO_MATCHING_KEY",
    });
  });

  test("of ten at once one makes a key, nine are told that there is one", async () => {
    await load();
    const rotations = await Promise.all(Array.from({ length: 10 }, async () => rotate()));
    expect(rotations.filter(({ ok }) => ok)).toHaveLength(1);
    expect(rotations.filter((each) => !each.ok && each.code === "pending")).toHaveLength(9);
    expect(await rows()).toHaveLength(3);
  });

  test("before the first start there is nothing to rotate", async () => {
    expect(await rotate()).toEqual({ ok: false, code: "none" });
    expect(await rows()).toEqual([]);
  });

  test("with another sealing key nothing is changed", async () => {
    await load();
    const other = await loadSealingKey(join(directory, "other.json"));
    await expect(rotateKey("token", { database, sealingKey: other, now })).rejects.toMatchObject({
      code: "sealing_key_unusable",
    });
    expect(await rows()).toHaveLength(2);
  });

  test("a replica that has not noticed yet verifies what the others sign with the new key", async () => {
    const [late, early] = [await load(), await load()];
    await rotate();
    await early.refresh();
    now += PUBLISH_AHEAD_MS;
    const token = await sign(early);
    expect(kidsOf(late)).not.toContain(early.token.kid);
    await expect(jwtVerify(token, late.findTokenKey)).resolves.toBeDefined();
    expect(late.token.kid).toBe(early.token.kid);
  });

  test("a flood of invented kids asks the database once in five seconds", async () => {
    let asked = 0;
    const counted = new Proxy(database, {
      get(target, name) {
        if (name === "selectFrom") asked += 1;
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const keys = await loadSigningKeys({ database: counted, sealingKey, now: () => now });
    const { privateKey } = await generateKeyPair("ES256");
    const flood = async (): Promise<void> => {
      for (let index = 0; index < 50; index += 1) {
        const token = await new SignJWT({})
          .setProtectedHeader({ alg: "ES256", kid: `invented-${index}` })
          .sign(privateKey);
        await expect(jwtVerify(token, keys.findTokenKey)).rejects.toThrow();
      }
    };
    asked = 0;
    await flood();
    expect(asked).toBe(0);
    now += 5_000;
    await flood();
    expect(asked).toBe(2);
  });

  test("the private half is destroyed once it signs no more; what it signed verifies", async () => {
    const keys = await load();
    const before = await sign(keys);
    const [old] = kidsOf(keys);
    await rotate();
    now += PUBLISH_AHEAD_MS + 3_600_000;
    await rotate();
    const stored = (await rows()).find(({ kid }) => kid === old);
    const opened = await sealingKey.open(`signing key: token ${old}`, stored?.sealed_private_jwk ?? "");
    expect(JSON.parse(Buffer.from(opened).toString())).not.toHaveProperty("d");
    const again = await load();
    await expect(jwtVerify(before, again.findTokenKey)).resolves.toBeDefined();
    await expect(jwtVerify(await sign(again), again.findTokenKey)).resolves.toBeDefined();
  });

  test("when the database is gone, the keys that are known stay", async () => {
    const keys = await load();
    const [old] = kidsOf(keys);
    await database.schema.alterTable("signing_keys").renameTo("away").execute();
    await expect(keys.refresh()).rejects.toThrow();
    expect(keys.token.kid).toBe(old);
    await database.schema.alterTable("away").renameTo("signing_keys").execute();
    await keys.refresh();
  });
});

describe("whoever can write to the database, without the sealing key", () => {
  const unusable = { code: "sealing_key_unusable" };
  const update = async (kid: string, values: Record<string, string>) =>
    database.updateTable("signing_keys").set(values).where("kid", "=", kid).execute();

  test("swaps the sealed halves of two keys of one purpose", async () => {
    await load();
    await rotate();
    const [, one, other] = await rows();
    if (one === undefined || other === undefined) throw new Error("there are two token keys");
    await update(one.kid, { sealed_private_jwk: other.sealed_private_jwk });
    await expect(load()).rejects.toMatchObject(unusable);
  });

  test("presents a checkpoint key as a token key, and the other way round", async () => {
    await load();
    const [checkpoint, token] = await rows();
    await database.deleteFrom("signing_keys").where("purpose", "=", "token").execute();
    await update(checkpoint?.kid ?? "", { purpose: "token" });
    await expect(load()).rejects.toMatchObject(unusable);
    await database.deleteFrom("signing_keys").execute();
    await database
      .insertInto("signing_keys")
      .values({ ...token!, purpose: "checkpoint" })
      .execute();
    await expect(load()).rejects.toMatchObject(unusable);
  });

  test("renames a key", async () => {
    await load();
    const [checkpoint] = await rows();
    await update(checkpoint?.kid ?? "", { kid: "another" });
    await expect(load()).rejects.toMatchObject(unusable);
  });

  test("has a public key of his own published under the name of a stored one", async () => {
    const keys = await load();
    const [, token] = await rows();
    const { publicKey } = await generateKeyPair("ES256");
    const forged = { ...(await exportJWK(publicKey)), kid: token?.kid, alg: "ES256", use: "sig" };
    await update(token?.kid ?? "", { public_jwk: JSON.stringify(forged) });
    expect((await load()).tokenKeys).toEqual(keys.tokenKeys);
  });

  test("adds a key of his own: it is not published, and the keys that were there go on", async () => {
    const keys = await load();
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
    const jwk = { ...(await exportJWK(privateKey)), kid, alg: "ES256" };
    const stranger = await loadSealingKey(join(directory, "stranger.json"));
    const foreign = await createKey("token", { sealingKey: stranger, serial: 2, at: now });
    await database
      .insertInto("signing_keys")
      .values({
        ...foreign,
        kid,
        public_jwk: JSON.stringify({ ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" }),
        sealed_private_jwk: await stranger.seal(
          `signing key: token ${kid}`,
          Buffer.from(JSON.stringify(jwk)),
        ),
      })
      .execute();
    await expect(keys.refresh()).rejects.toMatchObject(unusable);
    expect(kidsOf(keys)).not.toContain(kid);
    await expect(load()).rejects.toMatchObject(unusable);
    const forged = await new SignJWT({}).setProtectedHeader({ alg: "ES256", kid }).sign(privateKey);
    now += 10_000;
    await expect(jwtVerify(forged, keys.findTokenKey)).rejects.toThrow();
  });
});
