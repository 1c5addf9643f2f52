/** What is minted for a session and sent to its proxy: to that proxy alone, and nothing that lives long. */
import { expect, test } from "vitest";
import { SessionDocument } from "../../../broker/contract.ts";
import { listOfSession } from "../../../broker/storage/credentials/minted-credentials.ts";
import { describeOnBoth } from "../../support/both-databases.ts";
import { Holder, call } from "../../support/session-holder.ts";
import { type MintingDesk, openMintingDesk } from "../credentials/minting/minting-desk.ts";

describeOnBoth((create) => {
  const withDesk = async (action: (desk: MintingDesk) => Promise<void>): Promise<void> => {
    const desk = await openMintingDesk(await create());
    try {
      await action(desk);
    } finally {
      await desk.close();
    }
  };
  const read = async ({ world, holder }: MintingDesk, headers: Record<string, string> = {}) => {
    const { accessToken } = holder;
    const proof = await holder.prove({
      ...{ method: "GET", url: `${world.url}/session`, now: world.now(), accessToken },
    });
    const answer = await fetch(`${world.url}/session`, {
      headers: { authorization: `DPoP ${accessToken}`, dpop: proof, ...headers },
    });
    expect(answer.status).toBe(200);
    return SessionDocument.parse(await answer.json());
  };
  const credentialOf = (document: SessionDocument, name: string) => {
    const server = document.servers[name];
    if (server === undefined || server.transport === "relay") throw new Error(`${name} has none`);
    return server.credential;
  };

  test("headers for servers behind HTTP, variables for those that the proxy starts, nothing for those behind the relay", async () => {
    await withDesk(async (desk) => {
      const document = await read(desk);
      const direct = credentialOf(document, "direct");
      if (direct?.status !== "minted") throw new Error("not minted");
      const [token = ""] = direct.secrets;
      expect(desk.peer.exchanged).toContain(token);
      expect(direct).toMatchObject({ id: "direct", headers: { authorization: `Bearer ${token}` }, env: {} });
      expect(Date.parse(direct.expires_at ?? "")).toBeGreaterThan(desk.world.now());
      const files = credentialOf(document, "files");
      if (files?.status !== "minted") throw new Error("not minted");
      expect(files).toMatchObject({ id: "direct", headers: {}, env: { TOKEN: files.secrets[0] } });
      expect(document.servers["files"]).toMatchObject({ env: {} });
      for (const name of ["granted", "desk", "typed", "open"]) {
        expect(document.servers[name]).toEqual({ transport: "relay" });
      }
      expect(desk.peer.refreshed).toEqual([]);
      // Read again: the same, nothing is minted anew.
      expect(credentialOf(await read(desk), "direct")).toEqual(direct);
      expect(desk.peer.exchanged).toHaveLength(2);
      expect(JSON.stringify(desk.world.logged)).not.toContain(token);
    });
  });

  test("nothing is minted for a server that the proxy does not name, whenever it asks", async () => {
    await withDesk(async (desk) => {
      for (const names of ["open", "", "constructor"]) await read(desk, { "lanyard-servers": names });
      expect(desk.peer.exchanged).toEqual([]);
      const document = await read(desk, { "lanyard-servers": "open,files" });
      expect(credentialOf(document, "files")?.status).toBe("minted");
      expect(document.servers["direct"]).toMatchObject({ transport: "http" });
      expect(credentialOf(document, "direct")).toBeUndefined();
      expect(desk.peer.exchanged).toHaveLength(1);
    });
  });

  test("another key than the session's: nothing is given out, and nothing is minted", async () => {
    await withDesk(async ({ world, holder, peer }) => {
      const other = await Holder.create();
      const { accessToken } = holder;
      const stolen = await call(world, other, "GET /session", undefined, { accessToken });
      expect(stolen.status).toBe(401);
      expect(peer.exchanged).toEqual([]);
    });
  });

  test("one that its server rejected is minted anew, once", async () => {
    await withDesk(async (desk) => {
      const before = credentialOf(await read(desk), "direct");
      if (before?.status !== "minted") throw new Error("not minted");
      desk.world.advance(60_000);
      const after = credentialOf(await read(desk, { "lanyard-rejected": before.digest }), "direct");
      if (after?.status !== "minted") throw new Error("not minted");
      expect(after.digest).not.toBe(before.digest);
      const rows = await listOfSession(desk.replicas[0].services.database, desk.session.id);
      expect(rows.find(({ digest }) => digest === before.digest)?.state).not.toBe("active");
      const again = credentialOf(await read(desk, { "lanyard-rejected": after.digest }), "direct");
      expect(again).toEqual(after);
    });
  });

  test("an issuer that gives nothing out: the session is there, its servers too, and the sentence of this one", async () => {
    await withDesk(async (desk) => {
      desk.peer.tokenStatus = 503;
      const document = await read(desk);
      expect(credentialOf(document, "direct")).toMatchObject({
        ...{ status: "failed", id: "direct" },
        sentence: expect.stringMatching(/./),
      });
      expect(document.servers["everything"]).toEqual({ transport: "http", url: "http://127.0.0.1:9/mcp" });
    });
  });

  test("an issuer that is slow holds no job up: its credential is there when the document is asked for again", async () => {
    await withDesk(async (desk) => {
      const answered = Promise.withResolvers<void>();
      desk.peer.beforeAnswer = async () => answered.promise;
      expect(credentialOf(await read(desk), "direct")).toMatchObject({
        ...{ status: "failed", sentence: expect.stringContaining("its issuer is slow") },
      });
      answered.resolve();
      await expect
        .poll(async () => credentialOf(await read(desk), "direct")?.status, { timeout: 20_000 })
        .toBe("minted");
      expect(desk.peer.exchanged).toHaveLength(2);
    });
  }, 60_000);

  test("what was replaced while the session ran is ended with it, too", async () => {
    await withDesk(async (desk) => {
      const { world, peer, holder, replicas } = desk;
      await read(desk);
      world.advance(9 * 60_000);
      peer.expiresIn = 3_600;
      await read(desk);
      expect(peer.exchanged).toHaveLength(4);
      expect(peer.revoked).toEqual([]);
      await call(world, holder, "DELETE /session");
      await replicas[0].credentialRoom.end();
      // Those that were replaced have a minute left: they run out by themselves.
      await expect.poll(() => peer.revoked.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
      expect(peer.revoked).toEqual(expect.arrayContaining(peer.exchanged.slice(2)));
    });
  });
});
