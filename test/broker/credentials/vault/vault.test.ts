/** The vault: what is stored opens in its own row alone, and a rotation leaves a fallback for as long as it says. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Vault, createVault } from "../../../../broker/credentials/vault/vault.ts";
import { type SealingKey, loadSealingKey } from "../../../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../../../broker/storage/database.ts";
import { inTransaction } from "../../../../broker/storage/transactions.ts";
import type { Queries } from "../../../../broker/storage/schema.ts";
import { describeOnBoth } from "../../../support/both-databases.ts";

const HOUR_MS = 3_600_000;
const of = { name: "linear", owner: "" };
const bearer = { ...of, kind: "bearer" } as const;
const secret = (text: string): Uint8Array => Buffer.from(text);

let directory: string;
let sealingKey: SealingKey;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-vault-"));
  sealingKey = await loadSealingKey(join(directory, "key.json"));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describeOnBoth((create) => {
  const withVault = async (
    action: (vault: Vault, parts: { database: Queries; clock: { now: number } }) => Promise<void>,
  ): Promise<void> => {
    const database = await openDatabase(await create());
    const clock = { now: 1_000_000 };
    try {
      await action(createVault({ database, sealingKey, now: () => clock.now }), { database, clock });
    } finally {
      await database.destroy();
    }
  };
  const textsOf = async (vault: Vault): Promise<string[]> =>
    (await vault.open(bearer)).map((each) => Buffer.from(each.secret).toString());

  test("what is set opens, for its kind and owner alone", async () => {
    await withVault(async (vault, { database }) => {
      const row = await vault.set({ ...bearer, secret: secret("one"), by: "ann", expiresAt: 5 });
      expect(row).toMatchObject({ version: 1, created_by: "ann", created_at: 1_000_000, expires_at: 5 });
      expect(await vault.open(bearer)).toEqual([
        {
          version: 1,
          secret: new Uint8Array(secret("one")),
          digest: vault.digest(secret("one")),
          expiresAt: 5,
        },
      ]);
      expect(await vault.open({ ...of, kind: "headers" })).toEqual([]);
      expect(await vault.open({ ...bearer, owner: "acme/payments/triager" })).toEqual([]);
      const stored = JSON.stringify(await database.selectFrom("credential_secrets").selectAll().execute());
      expect(stored).not.toContain("one");
    });
  });

  test.each([
    ["name", { name: "other" }],
    ["owner", { owner: "acme/payments/triager" }],
    ["version", { version: 2 }],
    ["kind", { kind: "headers" as const }],
  ])("swapped rows: a secret under another %s does not open", async (_, changed) => {
    await withVault(async (vault, { database }) => {
      await vault.set({ ...bearer, secret: secret("one"), by: "ann" });
      await database.updateTable("credential_secrets").set(changed).execute();
      const { version: _version, ...where } = { ...bearer, ...changed, version: 0 };
      await expect(vault.open(where)).rejects.toMatchObject({ code: "sealing_key_unusable" });
    });
  });

  test("a rotation keeps the one before until its overlap is over; then it is erased", async () => {
    await withVault(async (vault, { database, clock }) => {
      await vault.set({ ...bearer, secret: secret("one"), by: "ann" });
      await vault.set({ ...bearer, secret: secret("two"), by: "bob", overlapMs: HOUR_MS });
      expect(await textsOf(vault)).toEqual(["two", "one"]);
      await vault.set({ ...bearer, secret: secret("three"), by: "bob", overlapMs: HOUR_MS });
      expect(await textsOf(vault)).toEqual(["three", "two"]);
      clock.now += HOUR_MS;
      expect(await textsOf(vault)).toEqual(["three"]);
      await vault.sweep();
      const rows = await database
        .selectFrom("credential_secrets")
        .select(["version", "created_by", "sealed", "erased_at"])
        .orderBy("version")
        .execute();
      expect(rows.map(({ sealed, ...row }) => ({ ...row, kept: sealed !== null }))).toEqual([
        { version: 1, created_by: "ann", erased_at: 1_000_000, kept: false },
        { version: 2, created_by: "bob", erased_at: clock.now, kept: false },
        { version: 3, created_by: "bob", erased_at: null, kept: true },
      ]);
    });
  });

  const rowsOf = async (database: Queries) =>
    database.selectFrom("credential_secrets").selectAll().orderBy("version").execute();
  const isPutBack = { code: "sealing_key_unusable", message: expect.stringContaining("put it back") };

  test("an earlier version put back in place of the newest is not opened by whoever saw a later one", async () => {
    await withVault(async (vault, { database }) => {
      await vault.set({ ...bearer, secret: secret("one"), by: "ann" });
      const before = await rowsOf(database);
      await vault.set({ ...bearer, secret: secret("two"), by: "ann" });
      expect(await textsOf(vault)).toEqual(["two"]);
      await database.deleteFrom("credential_secrets").execute();
      await expect(vault.open(bearer)).rejects.toMatchObject(isPutBack);
      await database.insertInto("credential_secrets").values(before).execute();
      await expect(vault.open(bearer)).rejects.toMatchObject(isPutBack);
      // What nothing here can know: whoever starts now saw nothing before.
      expect(await textsOf(createVault({ database, sealingKey, now: Date.now }))).toEqual(["one"]);
    });
  });

  test("an erased version put back beside the newest, as a fallback of it, is not opened", async () => {
    await withVault(async (vault, { database, clock }) => {
      await vault.set({ ...bearer, secret: secret("one"), by: "ann" });
      const [one] = await rowsOf(database);
      await vault.set({ ...bearer, secret: secret("two"), by: "ann" });
      expect(await textsOf(vault)).toEqual(["two"]);
      const { sealed = null } = one ?? {};
      const putBack = { sealed, erased_at: null, valid_until: clock.now + HOUR_MS };
      await database.updateTable("credential_secrets").set(putBack).where("version", "=", 1).execute();
      await expect(vault.open(bearer)).rejects.toMatchObject(isPutBack);
    });
  });

  test("an overlap can be ended, and a rotation can do without one", async () => {
    await withVault(async (vault) => {
      await vault.set({ ...bearer, secret: secret("one"), by: "ann" });
      await vault.set({ ...bearer, secret: secret("two"), by: "ann", overlapMs: HOUR_MS });
      await vault.endOverlap(of);
      expect(await textsOf(vault)).toEqual(["two"]);
      await vault.set({ ...bearer, secret: secret("three"), by: "ann" });
      expect(await textsOf(vault)).toEqual(["three"]);
    });
  });

  test("what was removed is gone, who did it stays, and its version is given to nothing else", async () => {
    await withVault(async (vault, { database }) => {
      await vault.set({ ...bearer, secret: secret("one"), by: "ann" });
      expect(await vault.remove(of, "bob")).toBe(true);
      expect(await vault.remove(of, "bob")).toBe(false);
      expect(await vault.open(bearer)).toEqual([]);
      expect(await vault.set({ ...bearer, secret: secret("two"), by: "ann" })).toMatchObject({ version: 2 });
      const [first] = await database
        .selectFrom("credential_secrets")
        .selectAll()
        .orderBy("version")
        .execute();
      expect(first).toMatchObject({ sealed: null, created_by: "ann", erased_by: "bob" });
    });
  });

  test("ten that set at once get ten versions, and one counts", async () => {
    await withVault(async (vault) => {
      const texts = Array.from({ length: 10 }, (_, index) => `secret ${index}`);
      const rows = await Promise.all(
        texts.map(async (text) => vault.set({ ...bearer, secret: secret(text), by: "ann" })),
      );
      expect(rows.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
        texts.map((_, index) => index + 1),
      );
      const newest = rows.findIndex(({ version }) => version === 10);
      expect(await textsOf(vault)).toEqual([texts[newest]]);
    });
  });

  test("a replacement takes the place of the version it was given for, once", async () => {
    await withVault(async (vault, { database }) => {
      await vault.set({ ...bearer, secret: secret("granted"), by: "ann" });
      const replace = async (version: number, text: string) =>
        inTransaction(database, async (db) =>
          vault.replace(db, { ...bearer, version, secret: secret(text) }),
        );
      expect(await Promise.all([replace(1, "a"), replace(1, "b")])).toContain(false);
      expect(await replace(2, "c")).toBe(true);
      expect(await replace(2, "d")).toBe(false);
      expect(await textsOf(vault)).toEqual(["c"]);
      const rows = await database
        .selectFrom("credential_secrets")
        .select(["version", "created_by"])
        .orderBy("version")
        .execute();
      expect(rows).toEqual([
        { version: 1, created_by: "ann" },
        { version: 3, created_by: null },
      ]);
    });
  });

  test("the last use is kept, to the minute", async () => {
    await withVault(async (vault, { database, clock }) => {
      await vault.set({ ...bearer, secret: secret("one"), by: "ann" });
      const lastUse = async () =>
        (await database.selectFrom("credential_secrets").select("last_used_at").executeTakeFirst())
          ?.last_used_at;
      await vault.noteUse({ ...of, version: 1 });
      clock.now += 1_000;
      await vault.noteUse({ ...of, version: 1 });
      expect(await lastUse()).toBe(1_000_000);
      clock.now += 60_000;
      await vault.noteUse({ ...of, version: 1 });
      expect(await lastUse()).toBe(clock.now);
    });
  });
});
