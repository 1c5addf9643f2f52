/** The cascade: what was minted for a session ends with it, whoever ended it and whichever broker is left. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DatabaseConfig } from "../../../broker/config-values.ts";
import { revokeSession } from "../../../broker/sessions/revocation.ts";
import {
  activate,
  addAsked,
  listOfSession,
  retire,
  retireOfSessions,
} from "../../../broker/storage/credentials/minted-credentials.ts";
import { endSession } from "../../../broker/storage/sessions/sessions.ts";
import { describeOnBoth } from "../../support/both-databases.ts";
import { serveBroker } from "../../support/served-broker.ts";
import { call } from "../../support/session-holder.ts";
import { type MintingDesk, openMintingDesk } from "./minting/minting-desk.ts";

const HOUR_MS = 3_600_000;

type Create = () => Promise<DatabaseConfig>;
const deskOn =
  (create: Create) =>
  async (action: (desk: MintingDesk) => Promise<void>): Promise<void> => {
    const desk = await openMintingDesk(await create());
    try {
      await action(desk);
    } finally {
      await desk.close();
    }
  };
const tokenOf = ({ headers }: { headers: Readonly<Record<string, string>> }): string =>
  headers["authorization"]?.replace("Bearer ", "") ?? "";

describeOnBoth((create) => {
  const withDesk = deskOn(create);

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

  test("a credential that was moved to another issuer: the former one is told no secret of the new one", async () => {
    await withDesk(async ({ present, peer, replicas, session, vault, world }) => {
      await present("desk");
      const [{ services, policies, credentialRoom }] = replicas;
      await world.broker.close();
      const file = join(world.config.policies, "servers.yaml");
      const text = await readFile(file, "utf8");
      await writeFile(
        file,
        text.replace(
          `desk: { kind: token-exchange, issuer: "${peer.url}"`,
          `desk: { kind: token-exchange, issuer: "http://127.0.0.1:9"`,
        ),
      );
      await policies.reload(AbortSignal.timeout(20_000));
      const secret = Buffer.from("secret-of-the-new-issuer");
      await vault.set({ name: "desk", owner: "", kind: "token-exchange", by: "ann", secret });
      await revokeSession(services.database, session.id, { at: services.now() });
      await credentialRoom.end();
      expect(await listOfSession(services.database, session.id)).toMatchObject([{ state: "ended" }]);
      // It is ended as the client that asked for it.
      expect(peer.revoked).toEqual(peer.exchanged);
      expect(peer.proofs).toHaveLength(2);
      for (const proof of peer.proofs) expect(atob(proof)).not.toContain(secret.toString());
    });
  });

  test("a client's secret that is removed while a session runs: what was minted with it is ended, and presented no more", async () => {
    await withDesk(async ({ present, peer, replicas, session, vault, world }) => {
      const minted = await present("desk");
      const [{ services, credentialRoom }, other] = replicas;
      await world.broker.close();
      const of = { name: "desk", owner: "" };
      await vault.remove(of, "ann");
      expect(
        await retireOfSessions(services.database, { credential: "desk", owner: "" }, services.now()),
      ).toBe(1);
      await credentialRoom.end();
      expect(peer.revoked).toEqual([tokenOf(minted)]);
      expect(await listOfSession(services.database, session.id)).toMatchObject([
        { state: "ended", sealed_ticket: null },
      ]);
      await expect(other.services.credentials.present({ server: "desk", session })).resolves.toMatchObject({
        ok: false,
        sentence: expect.stringContaining("is not set"),
      });
    });
  });

  test("what never says when it runs out is not kept for ever: neither what was replaced, nor of sessions that are not kept", async () => {
    await withDesk(async ({ replicas: [{ services, credentialRoom }], session, world }) => {
      const { database, now } = services;
      await world.broker.close();
      const store = async (id: string, of: { session: string; expires_at: number | null }) => {
        const place = { credential: "granted", owner: "", session: of.session, server: id };
        await addAsked(database, { ...place, id, basis: "", created_at: now() });
        const answer = { digest: "d", secret_version: 1, sealed: "sealed", sealed_ticket: null };
        await activate(database, { id, ...answer, expires_at: of.expires_at });
        await retire(database, id, { from: now(), ends: false });
      };
      await store("replaced", { session: "", expires_at: null });
      await store("of a session that is not kept", { session: "gone", expires_at: null });
      await store("of a session that is kept", { session: session.id, expires_at: null });
      await store("that runs out later", { session: "", expires_at: now() + 48 * HOUR_MS });
      const names = async () =>
        (await database.selectFrom("minted_credentials").select("id").orderBy("id").execute()).map(
          ({ id }) => id,
        );
      world.advance(23 * HOUR_MS);
      await credentialRoom.tidy();
      expect(await names()).toHaveLength(4);
      world.advance(2 * HOUR_MS);
      await credentialRoom.tidy();
      expect(await names()).toEqual(["of a session that is kept", "that runs out later"]);
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

describe("whichever the database is", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "lanyard-ending-"));
  });
  afterAll(async () => rm(directory, { recursive: true, force: true }));
  const withDesk = deskOn(async () => ({ kind: "sqlite", path: join(directory, `${randomUUID()}.sqlite`) }));

  test("a broker that is killed while it ends what a revoked session had: another one ends it", async () => {
    await withDesk(async ({ present, peer, replicas, session, world }) => {
      const minted = await present("desk");
      const { database, now } = replicas[0].services;
      await world.broker.close();
      const asked = Promise.withResolvers<void>();
      // It never gets an answer.
      peer.beforeRevocation = async () => {
        asked.resolve();
        return new Promise(() => undefined);
      };
      const doomed = await serveBroker(world.config, world.url);
      try {
        await revokeSession(database, session.id, { at: now() });
        await asked.promise;
      } finally {
        await doomed.kill();
      }
      peer.beforeRevocation = undefined;
      await replicas[1].credentialRoom.end();
      expect(peer.revoked).toEqual([]);
      expect(await listOfSession(database, session.id)).toMatchObject([{ state: "ending", attempts: 0 }]);
      // What the dead one had claimed is anybody's by then.
      world.advance(30_001);
      await replicas[1].credentialRoom.end();
      expect(peer.revoked).toEqual([tokenOf(minted)]);
      expect(await listOfSession(database, session.id)).toMatchObject([{ state: "ended" }]);
    });
  }, 60_000);

  describe("an issuer whose answer comes", () => {
    test("when nobody could use it any more is not asked: the lease would be somebody else's by then", async () => {
      await withDesk(async ({ present, peer, replicas, session, world }) => {
        // Its metadata take that long.
        peer.beforeMetadata = async () => world.advance(46_000);
        await expect(present("desk")).rejects.toThrow(
          /^unavailable: .*was not asked: what came before took too long/,
        );
        expect(peer.exchanged).toEqual([]);
        const { database } = replicas[0].services;
        expect(await listOfSession(database, session.id)).toEqual([]);
        // The next one to ask is not held up.
        peer.beforeMetadata = undefined;
        world.advance(3_000);
        await present("desk", 1);
        expect(peer.exchanged).toHaveLength(1);
      });
    });

    test("after the session ran out, as a clock says: it is ended and never presented", async () => {
      await withDesk(async ({ present, peer, replicas, session, world }) => {
        peer.expiresIn = 7_200;
        peer.beforeAnswer = async () => world.advance(HOUR_MS / 4 + 1);
        await expect(present("desk")).rejects.toThrow("The session is over");
        const { database } = replicas[0].services;
        await replicas[1].credentialRoom.end();
        await expect.poll(() => peer.revoked).toEqual(peer.exchanged);
        await expect
          .poll(async () => listOfSession(database, session.id))
          .toMatchObject([{ state: "ended", sealed: null }]);
        // And for a session that is over nobody is asked.
        world.advance(4_000);
        await expect(present("desk")).rejects.toThrow("The session is over");
        expect(peer.exchanged).toHaveLength(1);
      });
    });
  });
});
