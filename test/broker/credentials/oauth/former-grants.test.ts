/** Grants that count no more are to be ended, but for those whose end could be the end of one that counts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CredentialEvent } from "../../../../broker/credentials/credential-event.ts";
import { endDue, tidyMinted } from "../../../../broker/credentials/ending.ts";
import { mintLease } from "../../../../broker/credentials/minting/mint-lease.ts";
import { changeGrant } from "../../../../broker/credentials/oauth/former-grants.ts";
import { writeGrant } from "../../../../broker/credentials/oauth/stored-grant.ts";
import { type Vault, createVault } from "../../../../broker/credentials/vault/vault.ts";
import { type SealingKey, loadSealingKey } from "../../../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../../../broker/storage/database.ts";
import { listFormerCredentials } from "../../../../broker/storage/credentials/former-credentials.ts";
import { listHeldGrants } from "../../../../broker/storage/credentials/former-grants.ts";
import { returnLease, takeLease } from "../../../../broker/storage/credentials/leases.ts";
import type { Queries } from "../../../../broker/storage/schema.ts";
import { describeOnBoth } from "../../../support/both-databases.ts";

const DAY_MS = 86_400_000;
const listFormer = async (database: Queries) =>
  listFormerCredentials(database, { now: Date.now(), limit: 10 });
const ISSUER = "https://login.example";
const ada = { name: "notes", owner: "acme/payments/ada" };
const bob = { name: "notes", owner: "acme/payments/bob" };

let directory: string;
let sealingKey: SealingKey;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-grants-"));
  sealingKey = await loadSealingKey(join(directory, "key.json"));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const grantOf = ({ client = "lanyard", issuer = ISSUER, subject }: Record<string, string | undefined>) =>
  writeGrant({
    ...{
      issuer,
      resource: "https://notes.example/mcp",
      proof: "none",
      access_token: "a",
      refresh_token: "r",
    },
    client: {
      client_id: client,
      origin: "configured",
      redirect_uri: "https://broker.example/oauth/callback",
    },
    ...(subject !== undefined && { subject }),
  });

describeOnBoth((create) => {
  interface Desk {
    readonly database: Queries;
    readonly vault: Vault;
    connect(of: typeof ada, grant: Record<string, string | undefined>): Promise<unknown>;
    remove(of: typeof ada): Promise<boolean[]>;
  }
  const withDesk = async (action: (desk: Desk) => Promise<void>): Promise<void> => {
    const database = await openDatabase(await create());
    const store = { database, sealingKey, now: Date.now };
    const vault = createVault(store);
    try {
      await action({
        ...{ database, vault },
        connect: async (of, grant) => vault.set({ ...of, kind: "oauth", secret: grantOf(grant), by: "ann" }),
        remove: async (of) => {
          const { former } = await changeGrant(of, store, async (within) => within.remove(of, "ann"));
          return former.map(({ isHeld }) => isHeld);
        },
      });
    } finally {
      await database.destroy();
    }
  };

  test("that of another owner may be the same grant: it is held until that one is removed, and then both are ended", async () => {
    await withDesk(async ({ connect, remove, database }) => {
      await connect(ada, { subject: "robot" });
      await connect(bob, { subject: "robot" });
      expect(await remove(ada)).toEqual([true]);
      const [held] = await listFormer(database);
      expect(held).toMatchObject({ state: "ending", attempts: 0, owner: ada.owner });
      expect(held?.failure).toContain("the one of notes of acme/payments/bob");
      expect(await remove(bob)).toEqual([false, false]);
      expect(await listHeldGrants(database)).toEqual([]);
    });
  });

  test.each([
    ["of another person", { subject: "another" }],
    ["of another client", { client: "another", subject: "robot" }],
    ["at another issuer", { issuer: "https://another.example", subject: "robot" }],
  ])("one %s is never the same grant: it keeps nothing from being ended", async (_, other) => {
    await withDesk(async ({ connect, remove }) => {
      await connect(ada, { subject: "robot" });
      await connect(bob, other);
      expect(await remove(ada)).toEqual([false]);
    });
  });

  test("one that does not open may be any: others are held, and it can be removed itself", async () => {
    await withDesk(async ({ connect, remove, database }) => {
      await connect(ada, { subject: "robot" });
      await connect(bob, { subject: "another" });
      const unreadable = { sealed: "eyJ" };
      await database
        .updateTable("credential_secrets")
        .set(unreadable)
        .where("owner", "=", bob.owner)
        .execute();
      expect(await remove(ada)).toEqual([true]);
      expect(await remove(bob)).toEqual([false]);
    });
  });

  test("of two that are removed at the same time, the later one sees that nothing is left: none is held for ever", async () => {
    await withDesk(async ({ connect, remove, database }) => {
      await connect(ada, {});
      await connect(bob, {});
      await Promise.all([remove(ada), remove(bob)]);
      expect(await listHeldGrants(database)).toEqual([]);
      expect(await listFormer(database)).toHaveLength(2);
    });
  });

  test("one that its issuer does not end is tried for 30 days, and then left to a person, who is told", async () => {
    await withDesk(async ({ connect, remove, database, vault }) => {
      await connect(ada, {});
      await remove(ada);
      const clock = { now: Date.now() + 61_000 };
      const told: CredentialEvent[] = [];
      const parts = {
        ...{ database, sealingKey, vault, publicUrl: "", now: () => clock.now },
        tell: (event: CredentialEvent) => told.push(event),
        ask: async () => ({ status: 503, headers: {}, body: "" }),
        findEntry: () => undefined,
      };
      await endDue(parts);
      expect(told).toMatchObject([{ code: "credential_not_ended", owner: ada.owner }]);
      clock.now += 29 * DAY_MS;
      await tidyMinted(parts);
      expect(await listFormer(database)).toMatchObject([{ attempts: 1 }]);
      clock.now += DAY_MS;
      await tidyMinted(parts);
      expect(told.at(-1)).toMatchObject({
        code: "credential_not_endable",
        sentence: expect.stringContaining("end it there by hand"),
      });
      expect(await listFormer(database)).toEqual([]);
    });
  });

  test("a refresh that is under way is waited for: what it stored is what is ended", async () => {
    await withDesk(async ({ connect, remove, database, vault }) => {
      await connect(ada, { subject: "robot" });
      const lease = { name: mintLease([ada.name, ada.owner]), holder: "a broker" };
      expect(await takeLease(database, { ...lease, until: Date.now() + 60_000 }, Date.now())).toBe(true);
      let isOver = false;
      const removing = remove(ada).then((former) => {
        isOver = true;
        return former;
      });
      await connect(ada, { subject: "robot", client: "refreshed" });
      expect([isOver, await vault.open({ ...ada, kind: "oauth" })]).toMatchObject([false, [{ version: 2 }]]);
      await returnLease(database, lease);
      expect(await removing).toEqual([false]);
      expect(await listFormer(database)).toMatchObject([{ secret_version: 2 }]);
    });
  });
});
