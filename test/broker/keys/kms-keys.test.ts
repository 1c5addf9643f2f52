/** Sealing keys that KMS holds: the database has what KMS sealed, and KMS opens it in its own row alone. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createKmsKeys } from "../../../broker/keys/kms-keys.ts";
import { openSealingKey } from "../../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import type { Queries } from "../../../broker/storage/schema.ts";
import { type KmsPeer, startKmsPeer } from "../../support/kms-peer.ts";
import { describeOnBoth } from "../../support/both-databases.ts";

let kms: KmsPeer;
beforeEach(async () => {
  kms = await startKmsPeer();
  for (const [name, value] of Object.entries(kms.environment)) vi.stubEnv(name, value);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await kms.close();
});

describeOnBoth((create) => {
  let database: Queries;
  beforeEach(async () => {
    database = await openDatabase(await create());
  });
  afterEach(async () => {
    await database.destroy();
  });
  const sourceOf = (...kmsKeys: [string, ...string[]]) => createKmsKeys({ kmsKeys, database, now: Date.now });
  const open = async (kmsKey = kms.key) => {
    const source = sourceOf(kmsKey);
    await source.begin();
    return openSealingKey(source, Date.now);
  };

  test("the first start makes a data key, every other one opens it, and KMS is asked once by each", async () => {
    const keys = [await open(), ...(await Promise.all([open(), open()]))];
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1);
    const sealed = (await keys[0]?.seal("a purpose", Buffer.from("secret"))) ?? "";
    for (const key of keys) {
      expect(Buffer.from(await key.open("a purpose", sealed)).toString()).toBe("secret");
      await key.refresh();
    }
    expect(kms.asked.filter((operation) => operation === "GenerateDataKey")).toHaveLength(1);
    expect(kms.asked.filter((operation) => operation === "Decrypt")).toHaveLength(3);
    expect(await database.selectFrom("data_keys").select(["kms_key", "serial"]).execute()).toEqual([
      { kms_key: kms.key, serial: 1 },
    ]);
  });

  test("ten that start at once have the same key", async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, async () => open()));
    expect(new Set(keys.map((key) => key.derive("x").toString("hex"))).size).toBe(1);
  });

  test.each([
    ["name", { kid: "0000000000000000" }],
    ["serial", { serial: 7 }],
    ["time", { seals_from: 1 }],
  ])("a row with another %s does not open: KMS authenticates it", async (_, changed) => {
    await open();
    await database.updateTable("data_keys").set(changed).execute();
    await expect(open()).rejects.toThrow(/row of data_keys was altered/);
  });

  test("a data key made under somebody else's KMS key is not used", async () => {
    await open(kms.otherKey);
    await expect(open()).rejects.toThrow(/made under another KMS key/);
  });

  test("an alias that is pointed at another key: the error names the former one, and with it beside everything opens", async () => {
    kms.aliases.set("alias/lanyard", kms.key);
    const before = await open("alias/lanyard");
    const sealed = await before.seal("p", Buffer.from("secret"));
    kms.aliases.set("alias/lanyard", kms.otherKey);
    // Whoever runs has opened it, and goes on.
    await before.refresh();
    expect(Buffer.from(await before.open("p", sealed)).toString()).toBe("secret");
    await expect(open("alias/lanyard")).rejects.toMatchObject({
      code: "sealing_key_unusable",
      message: expect.stringContaining(`name it, too (kms:${kms.key})`),
    });
    const source = sourceOf("alias/lanyard", kms.key);
    const both = await openSealingKey(source, Date.now);
    expect(Buffer.from(await both.open("p", sealed)).toString()).toBe("secret");
    const { kid } = await source.add(Date.now());
    const made = await database.selectFrom("data_keys").select("kms_key").orderBy("serial").execute();
    expect(made).toEqual([{ kms_key: kms.key }, { kms_key: kms.otherKey }]);
    for (const key of [before, both]) {
      await key.refresh();
      expect(key.kid).toBe(kid);
    }
  });

  test.each([
    [
      "disabled",
      () => kms.keys.set(kms.key, { material: Buffer.alloc(32), enabled: false, allowed: true }),
      /disabled/,
    ],
    [
      "forbidden",
      () => kms.keys.set(kms.key, { material: Buffer.alloc(32), enabled: true, allowed: false }),
      /kms:Decrypt/,
    ],
    ["gone", () => kms.keys.delete(kms.key), /no such key/],
  ])("a key that is %s says what to change", async (_, change, message) => {
    change();
    await expect(open()).rejects.toMatchObject({
      code: "sealing_key_unusable",
      message: expect.stringMatching(message),
    });
  });

  test("another data key seals once its time has come, and both open", async () => {
    const source = sourceOf(kms.key);
    await source.begin();
    const clock = { now: Date.now() };
    const key = await openSealingKey(source, () => clock.now);
    const before = await key.seal("p", Buffer.from("before"));
    const added = await source.add(clock.now + 60_000);
    await key.refresh();
    expect(key.kid).not.toBe(added.kid);
    clock.now += 60_000;
    expect(key.kid).toBe(added.kid);
    expect(Buffer.from(await key.open("p", before)).toString()).toBe("before");
    const other = await open();
    const after = await key.seal("p", Buffer.from("after"));
    expect(Buffer.from(await other.open("p", after)).toString()).toBe("after");
  });

  test("whoever asks with a wrong secret key is told so: signatures are checked", async () => {
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "wrong");
    await expect(open()).rejects.toThrow(/InvalidSignatureException/);
  });
});
