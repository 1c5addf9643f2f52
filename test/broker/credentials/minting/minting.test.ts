/** Minting: one at a time across replicas, stored before it is used, renewed before it runs out. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createVault } from "../../../../broker/credentials/vault/vault.ts";
import { listFailing, noteFailing } from "../../../../broker/storage/credentials/credential-health.ts";
import { addAsked } from "../../../../broker/storage/credentials/minted-credentials.ts";
import { describeOnBoth } from "../../../support/both-databases.ts";
import { type MintingDesk, openMintingDesk } from "./minting-desk.ts";

const MINUTE_MS = 60_000;

describeOnBoth((create) => {
  const withDesk = async (action: (desk: MintingDesk) => Promise<void>): Promise<void> => {
    const desk = await openMintingDesk(await create());
    try {
      await action(desk);
    } finally {
      await desk.close();
    }
  };

  test("what was minted is presented on every replica, and lies sealed in the database", async () => {
    await withDesk(async ({ present, peer, replicas }) => {
      const [first, second] = [await present("granted"), await present("granted", 1)];
      const [token = ""] = peer.refreshed;
      expect(peer.refreshed).toHaveLength(1);
      expect(first.headers).toEqual({ authorization: `Bearer ${token}` });
      expect(second.headers).toEqual(first.headers);
      expect(first.digest).toBe(createHash("sha256").update(token).digest("hex"));
      const { database } = replicas[0].services;
      const tables = ["minted_credentials", "credential_secrets", "credential_health", "leases"] as const;
      for (const table of tables) {
        const stored = JSON.stringify(await database.selectFrom(table).selectAll().execute());
        expect(stored).not.toContain(token);
        expect(stored).not.toContain(peer.refreshToken);
      }
      expect(await database.selectFrom("leases").selectAll().execute()).toEqual([]);
    });
  });

  test("fifty calls at the moment of expiry on two replicas: one refresh, and the family of refresh tokens lives", async () => {
    await withDesk(async ({ present, peer, world }) => {
      const before = await present("granted");
      world.advance(11 * MINUTE_MS);
      // The issuer is slow enough for all of them to be there while it answers.
      peer.beforeAnswer = async () => new Promise((resolve) => setTimeout(resolve, 300));
      const calls = Array.from({ length: 50 }, async (_, index) =>
        present("granted", index % 2 === 0 ? 0 : 1),
      );
      const digests = new Set((await Promise.all(calls)).map(({ digest }) => digest));
      expect(digests.size).toBe(1);
      expect(digests).not.toContain(before.digest);
      expect(peer.refreshed).toHaveLength(2);
      world.advance(11 * MINUTE_MS);
      await present("granted", 1);
      expect(peer).toMatchObject({ familyIsOver: false });
      expect(peer.refreshed).toHaveLength(3);
    });
  });

  test("before it runs out the upkeep renews it, without anybody asking", async () => {
    await withDesk(async ({ present, peer, world, replicas }) => {
      await present("granted");
      world.advance(9 * MINUTE_MS);
      await Promise.all(replicas.map(async ({ credentialRoom }) => credentialRoom.tidy()));
      expect(peer.refreshed).toHaveLength(2);
      await present("granted");
      expect(peer.refreshed).toHaveLength(2);
    });
  });

  test("an issuer that does not answer near the end: what is still good is presented, and the failure is a finding", async () => {
    await withDesk(async ({ present, peer, world, replicas }) => {
      const before = await present("granted");
      world.advance(9 * MINUTE_MS);
      peer.tokenStatus = 503;
      expect((await present("granted")).digest).toBe(before.digest);
      const { database } = replicas[0].services;
      expect(await listFailing(database)).toMatchObject([
        { credential: "granted", owner: "", failure_code: "unavailable" },
      ]);
      const ready: any = await (await fetch(`${world.url}/readyz`)).json();
      expect(ready).toMatchObject({ status: "degraded", credentials: { failing: 1 } });
      expect(ready.reason).toContain("Credentials are failing");
      peer.tokenStatus = 200;
      world.advance(15_000);
      await present("granted");
      expect(await listFailing(database)).toEqual([]);
      expect(await (await fetch(`${world.url}/readyz`)).json()).toMatchObject({ status: "ready" });
    });
  });

  test("a broker that ends between the issuer's answer and its storage: the next refusal says so", async () => {
    await withDesk(async ({ present, peer, replicas }) => {
      const { database, now } = replicas[0].services;
      const place = { credential: "granted", owner: "", session: "", server: "http://127.0.0.1:9/granted" };
      await addAsked(database, { ...place, id: "lost", basis: "", created_at: now() });
      peer.refreshToken = "another one by now";
      await expect(present("granted")).rejects.toThrow(/A broker ended before it could store/);
    });
  });

  test("a server that answers 401 gets one that is minted anew, and not again right after", async () => {
    await withDesk(async ({ present, peer, world, replicas: [{ services }] }) => {
      const before = await present("desk");
      world.advance(MINUTE_MS);
      expect(await services.credentials.reject(before)).toMatchObject({ ok: true });
      const after = await present("desk");
      expect(after.digest).not.toBe(before.digest);
      expect(peer.exchanged).toHaveLength(2);
      // Somebody who comes late with the old one gets the new one.
      expect(await services.credentials.reject(before)).toMatchObject({ ok: true });
      expect(await services.credentials.reject(after)).toMatchObject({ ok: false });
      expect(peer.exchanged).toHaveLength(2);
      expect(await listFailing(services.database)).toMatchObject([
        { credential: "desk", failure_code: "refused" },
      ]);
    });
  });

  test("a rotated secret: where a server does not take the new one, the former one is presented within its overlap", async () => {
    await withDesk(async ({ present, vault, world, replicas: [{ services }] }) => {
      const typed = { name: "typed", owner: "", kind: "bearer", by: "ann" } as const;
      await vault.set({ ...typed, secret: Buffer.from("former-token") });
      await vault.set({ ...typed, secret: Buffer.from("newest-token"), overlapMs: 10 * MINUTE_MS });
      const newest = await present("typed");
      expect(newest.headers).toEqual({ authorization: "Bearer newest-token" });
      expect(newest.digest).toBe(vault.digest(Buffer.from("newest-token")));
      expect(await services.credentials.reject(newest)).toMatchObject({ ok: true });
      const former = await present("typed");
      expect(former.headers).toEqual({ authorization: "Bearer former-token" });
      // A server that changes over takes the new one from that moment on.
      expect(await services.credentials.reject(former)).toMatchObject({ ok: true });
      expect((await present("typed")).headers).toEqual({ authorization: "Bearer newest-token" });
      world.advance(11 * MINUTE_MS);
      expect(await services.credentials.reject(await present("typed"))).toMatchObject({
        ...{ ok: false, sentence: expect.stringContaining("lanyard credential rotate typed") },
      });
    });
  });

  test("what failed is no finding any more once it was set anew, is taken again, or is gone from the documents", async () => {
    await withDesk(async ({ present, vault, world, replicas: [{ services, credentialRoom }] }) => {
      const { database, credentials } = services;
      const typed = { name: "typed", owner: "", kind: "bearer", by: "ann" } as const;
      await vault.set({ ...typed, secret: Buffer.from("former-token") });
      expect(await credentials.reject(await present("typed"))).toMatchObject({ ok: false });
      expect(await listFailing(database)).toHaveLength(1);
      // Presented for a while, and rejected no more.
      world.advance(61_000);
      await present("typed");
      expect(await listFailing(database)).toEqual([]);

      expect(await credentials.reject(await present("typed"))).toMatchObject({ ok: false });
      world.advance(1_000);
      await credentialRoom.tidy();
      expect(await listFailing(database)).toHaveLength(1);
      await createVault(services).set({ ...typed, secret: Buffer.from("newest-token") });
      await credentialRoom.tidy();
      expect(await listFailing(database)).toEqual([]);

      const gone = { code: "refused", sentence: "It is gone.", at: services.now() } as const;
      await noteFailing(database, { credential: "removed", owner: "" }, gone);
      await noteFailing(database, { credential: "typed", owner: "acme/payments/somebody-who-left" }, gone);
      await noteFailing(database, { credential: "typed", owner: "acme/payments/triager" }, gone);
      await credentialRoom.tidy();
      expect(await listFailing(database)).toMatchObject([{ owner: "acme/payments/triager" }]);
    });
  });

  test("one that is not set, or of a server without one, is refused with what to do", async () => {
    await withDesk(async ({ present }) => {
      await expect(present("typed")).rejects.toThrow("lanyard credential set typed");
      await expect(present("everything")).rejects.toThrow("has no credential");
      expect(await present("open")).toMatchObject({ id: "open", headers: {}, secrets: [] });
    });
  });

  test("a policy edit that moves a credential to another server: the former one is not shown what is set for the new one", async () => {
    await withDesk(async ({ present, vault, world, replicas: [{ policies }] }) => {
      const typed = { name: "typed", owner: "", kind: "bearer", by: "ann" } as const;
      await vault.set({ ...typed, secret: Buffer.from("former-token") });
      await present("typed");
      const file = join(world.config.policies, "servers.yaml");
      await writeFile(file, (await readFile(file, "utf8")).replace("/typed", "/moved"));
      await policies.reload(AbortSignal.timeout(20_000));
      await vault.set({ ...typed, secret: Buffer.from("newest-token") });
      await expect(present("typed")).rejects.toThrow("run the job again");
    });
  });

  test("a secret that is set anew counts at once, whatever was minted from the one before", async () => {
    await withDesk(async ({ present, vault, peer, world }) => {
      const before = await present("desk");
      const secret = Buffer.from("another-secret");
      await vault.set({ name: "desk", owner: "", kind: "token-exchange", by: "ann", secret });
      world.advance(3_000);
      expect((await present("desk")).digest).not.toBe(before.digest);
      expect(peer.exchanged).toHaveLength(2);
    });
  });
});
