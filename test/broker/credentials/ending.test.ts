/** The cascade: what was minted for a session ends with it, whoever ended it and whichever broker is left. */
import { expect, test } from "vitest";
import { revokeSession } from "../../../broker/sessions/revocation.ts";
import { claimEnding, listOfEndedSessions } from "../../../broker/storage/ending-credentials.ts";
import { listOfSession, retire } from "../../../broker/storage/minted-credentials.ts";
import { endSession } from "../../../broker/storage/sessions.ts";
import { describeOnBoth } from "../../support/both-databases.ts";
import { call } from "../../support/session-holder.ts";
import { type MintingDesk, openMintingDesk } from "./minting-desk.ts";

const HOUR_MS = 3_600_000;

describeOnBoth((create) => {
  const withDesk = async (action: (desk: MintingDesk) => Promise<void>): Promise<void> => {
    const desk = await openMintingDesk(await create());
    try {
      await action(desk);
    } finally {
      await desk.close();
    }
  };
  const tokenOf = ({ headers }: { headers: Readonly<Record<string, string>> }): string =>
    headers["authorization"]?.replace("Bearer ", "") ?? "";

  const endings: [string, (desk: MintingDesk) => Promise<unknown>][] = [
    ["the job itself", async ({ world, holder }) => call(world, holder, "DELETE /session")],
    [
      "an operator's command, in another process",
      async ({ replicas: [{ services }], session: { id } }) =>
        revokeSession(services.database, id, { at: services.now(), by: "ann" }),
    ],
    [
      "a seal",
      async ({ replicas: [{ services }], session: { id } }) =>
        endSession(services.database, id, { to: "sealed", from: ["active"], at: services.now() }),
    ],
    [
      "a recovery",
      async ({ replicas: [{ services }], session: { id } }) =>
        endSession(services.database, id, { to: "recovered", from: ["active"], at: services.now() }),
    ],
    ["its expiry, which nobody marked", async ({ world }) => world.advance(HOUR_MS / 4 + 1)],
  ];
  test.each(endings)(
    "a session that ends by %s: what was minted for it is ended at its issuer",
    async (_, end) => {
      await withDesk(async (desk) => {
        const { present, peer, replicas, session } = desk;
        peer.expiresIn = 2 * 3_600;
        const minted = await present("desk");
        const granted = await present("granted");
        await end(desk);
        // Whatever the brokers' own timers did meanwhile.
        await replicas[1].credentialRoom.end();
        await expect.poll(() => peer.revoked, { timeout: 20_000 }).toEqual([tokenOf(minted)]);
        const { database } = replicas[0].services;
        await expect
          .poll(async () => listOfSession(database, session.id), { timeout: 20_000 })
          .toMatchObject([{ credential: "desk", state: "ended", sealed: null, sealed_ticket: null }]);
        // What serves other sessions, too, stays.
        expect(peer.revoked).not.toContain(tokenOf(granted));
        await expect(present("desk", 1)).rejects.toThrow("The session is over");
      });
    },
  );

  test("revoke, racing with a mint: no orphan, the token that comes too late is ended and never presented", async () => {
    await withDesk(async ({ present, peer, replicas, session }) => {
      const { services } = replicas[0];
      peer.beforeAnswer = async () => {
        await revokeSession(services.database, session.id, { at: services.now() });
      };
      await expect(present("desk")).rejects.toThrow("The session is over");
      expect(peer.exchanged).toHaveLength(1);
      await replicas[1].credentialRoom.end();
      await expect.poll(() => peer.revoked, { timeout: 20_000 }).toEqual(peer.exchanged);
      expect(await listOfSession(services.database, session.id)).toHaveLength(1);
    });
  });

  test("a broker that dies between a revocation and the end: another one ends it", async () => {
    await withDesk(async ({ present, peer, replicas, session, world }) => {
      const minted = await present("desk");
      const { database, now } = replicas[0].services;
      await world.broker.close();
      await revokeSession(database, session.id, { at: now() });
      // As far as the one that died came: it had claimed it, and asked nobody.
      for (const { id } of await listOfEndedSessions(database, { now: now(), limit: 10 })) {
        await retire(database, id, { from: now(), ends: true });
      }
      expect(await claimEnding(database, { now: now(), until: now() + 30_000, limit: 10 })).toHaveLength(1);
      await replicas[1].credentialRoom.end();
      expect(peer.revoked).toEqual([]);
      world.advance(30_001);
      await replicas[1].credentialRoom.end();
      expect(peer.revoked).toEqual([tokenOf(minted)]);
    });
  });

  test("an issuer that does not end it: it is listed with the reason, and tried again until it is done", async () => {
    await withDesk(async ({ present, peer, replicas, session, world }) => {
      const minted = await present("desk");
      const { database, now } = replicas[0].services;
      await world.broker.close();
      peer.revocationStatus = 503;
      await revokeSession(database, session.id, { at: now() });
      await replicas[0].credentialRoom.end();
      const [listed] = await listOfSession(database, session.id);
      expect(listed).toMatchObject({ state: "ending", attempts: 1, failure: expect.stringMatching(/./) });
      expect(listed?.failure).not.toContain(tokenOf(minted));
      await replicas[1].credentialRoom.end();
      expect(await listOfSession(database, session.id)).toMatchObject([{ attempts: 1 }]);
      peer.revocationStatus = 200;
      world.advance(2_001);
      await replicas[1].credentialRoom.end();
      expect(peer.revoked).toEqual([tokenOf(minted)]);
      expect(await listOfSession(database, session.id)).toMatchObject([{ state: "ended", failure: null }]);
    });
  });

  test("one that was never ended is over when it has run out", async () => {
    await withDesk(async ({ present, peer, replicas, session, world }) => {
      await present("desk");
      const { database, now } = replicas[0].services;
      await world.broker.close();
      peer.revocationStatus = 500;
      await revokeSession(database, session.id, { at: now() });
      await replicas[0].credentialRoom.end();
      world.advance(11 * 60_000);
      await replicas[0].credentialRoom.tidy();
      expect(await listOfSession(database, session.id)).toMatchObject([{ state: "ended" }]);
    });
  });

  test("one whose answer was lost with its broker is listed, and over when nothing can live that long", async () => {
    await withDesk(async ({ replicas, session, world }) => {
      const { database, now } = replicas[0].services;
      const { addAsked } = await import("../../../broker/storage/minted-credentials.ts");
      const place = { credential: "desk", owner: "", session: session.id, server: "http://127.0.0.1:9/desk" };
      await addAsked(database, { ...place, id: "lost", basis: "", created_at: now() });
      await replicas[0].credentialRoom.tidy();
      expect(await listOfSession(database, session.id)).toMatchObject([{ state: "asked" }]);
      world.advance(121_000);
      await replicas[0].credentialRoom.tidy();
      expect(await listOfSession(database, session.id)).toMatchObject([
        { state: "lapsing", failure: expect.stringContaining("A broker ended between") },
      ]);
      world.advance(13 * HOUR_MS);
      await replicas[0].credentialRoom.tidy();
      expect(await listOfSession(database, session.id)).toMatchObject([{ state: "ended" }]);
    });
  });
});
