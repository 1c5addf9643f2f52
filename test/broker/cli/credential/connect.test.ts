/** `lanyard credential connect` and `test`: a person's grant at a real authorization server, from login to presented token. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { kinds } from "../../../../broker/credentials/kinds/all.ts";
import { redirectAddressAt } from "../../../../broker/credentials/oauth/client-document.ts";
import { readGrant } from "../../../../broker/credentials/oauth/stored-grant.ts";
import { createVault } from "../../../../broker/credentials/vault/vault.ts";
import { loadSealingKey } from "../../../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../../../broker/storage/database.ts";
import { type AuthorizationPeer, startAuthorizationPeer } from "../../../support/authorization-server.ts";
import type { TestBroker } from "../../../support/broker.ts";
import { mintingContext } from "../../../support/minting-context.ts";
import type { OpenedServices } from "../../../../broker/start.ts";
import { openReplica } from "../../sessions/second-replica.ts";
import { runCredential, startBrokerWith } from "./connecting.ts";

let peer: AuthorizationPeer;
let on: TestBroker;
beforeAll(async () => {
  peer = await startAuthorizationPeer();
});
afterAll(async () => {
  await peer.close();
});
beforeEach(async () => {
  on = await startBrokerWith(peer.serverUrl, "{ kind: oauth }");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await on.close();
});

const page = async (address: string) => {
  const response = await fetch(address);
  return { status: response.status, headers: response.headers, text: await response.text() };
};
/** Logs in and lets the browser come back. */
const agree = async (address: string) => page(await peer.logIn(address));

async function stored() {
  const database = await openDatabase(on.config.database);
  try {
    const vault = createVault({ database, sealingKey: await loadSealingKey(on.config.keys), now: Date.now });
    const [newest] = await vault.open({ name: "notes", owner: "", kind: "oauth" });
    const pending = await database.selectFrom("pending_connections").selectAll().execute();
    return { secret: newest?.secret, grant: readGrant(newest?.secret), version: newest?.version, pending };
  } finally {
    await database.destroy();
  }
}

test("discovers, registers, logs in, stores the grant sealed, and says as whom", async () => {
  const { out, err, code, visited } = await runCredential(on, ["connect", "notes"], agree);
  expect([err.includes("Waiting for the answer until"), code]).toEqual([true, 0]);
  expect(visited).toMatchObject({ status: 200, text: expect.stringContaining("Done here") });
  expect(out).toContain(`Connected notes at ${peer.issuer} for ${peer.serverUrl}, version 1.`);
  expect(out).toMatch(/Connected as .*sub: robot@acme\.example/);
  const { grant, pending } = await stored();
  expect(grant).toMatchObject({
    ...{ issuer: peer.issuer, resource: peer.serverUrl, proof: "none" },
    client: { origin: "registered", redirect_uri: redirectAddressAt(peer.issuer, on.url) },
    refresh_token: expect.any(String),
  });
  expect(pending).toEqual([]);
  for (const token of [grant?.access_token, grant?.refresh_token]) {
    expect(out + err).not.toContain(token);
    expect(JSON.stringify(on.logged)).not.toContain(token);
  }
});

describe("a grant that counts no more", () => {
  const tokensOf = async () => {
    const { grant } = await stored();
    if (grant?.refresh_token === undefined) throw new Error("nothing is connected");
    return { refresh: grant.refresh_token, access: grant.access_token, client: grant.client.client_id };
  };
  const tidy = async (action: (room: OpenedServices) => Promise<void>): Promise<void> => {
    const replica = await openReplica(on);
    await action(replica);
    await replica.close();
  };

  test("connected again, in the same browser: the new grant is proven and stored, then the old one is ended, and not both", async () => {
    const jar = new Map<string, string>();
    const same = async (address: string) => page(await peer.logIn(address, jar));
    await runCredential(on, ["connect", "notes"], same);
    const old = await tokensOf();
    const { out, err, code } = await runCredential(on, ["connect", "notes"], same);
    expect([err.includes("Waiting"), code]).toEqual([true, 0]);
    expect(out).toContain(`The grant of version 1 of notes was ended at ${peer.issuer}.`);
    expect([await peer.isActive(old.access), await peer.isActive(old.refresh)]).toEqual([false, false]);
    const now = await tokensOf();
    expect(now.client).not.toBe(old.client);
    expect([await peer.isActive(now.access), await peer.isActive(now.refresh)]).toEqual([true, true]);
    expect((await runCredential(on, ["test", "notes"])).out).toContain("notes (oauth) works.");
  });

  test("one that does not refresh takes the place of none that works", async () => {
    await runCredential(on, ["connect", "notes"], agree);
    const old = await tokensOf();
    const { err, code } = await runCredential(on, ["connect", "notes"], async (address) => {
      peer.failing.add("refresh_token");
      return agree(address);
    });
    peer.failing.clear();
    expect([code, err]).toEqual([1, expect.stringContaining("Nothing was stored.")]);
    expect(await tokensOf()).toEqual(old);
    expect((await runCredential(on, ["test", "notes"])).code).toBe(0);
  });

  test("removed: the refresh token and what brokers present are ended, and nothing is presented any more", async () => {
    await runCredential(on, ["connect", "notes"], agree);
    await runCredential(on, ["test", "notes"]);
    const { refresh, access } = await tokensOf();
    expect(await peer.isActive(access)).toBe(true);
    const { out, code } = await runCredential(on, ["remove", "notes", "--yes", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      message: `notes is removed. The grant of version 2 of notes was ended at ${peer.issuer}.`,
      grants: [{ issuer: peer.issuer, state: "ended" }],
    });
    expect([await peer.isActive(refresh), await peer.isActive(access)]).toEqual([false, false]);
    const database = await openDatabase(on.config.database);
    const left = await database.selectFrom("minted_credentials").select(["state", "sealed"]).execute();
    await database.destroy();
    expect(new Set(left.map(({ state }) => state))).toEqual(new Set(["lapsing", "ended"]));
    expect(left.every(({ sealed }) => sealed === null)).toBe(true);
  });

  test("one whose name is of another kind by now: the secret that takes its place ends it", async () => {
    await runCredential(on, ["connect", "notes"], agree);
    const { refresh } = await tokensOf();
    const servers = join(on.config.policies, "servers.yaml");
    await writeFile(servers, (await readFile(servers, "utf8")).replace("kind: oauth", "kind: bearer"));
    const { out, code } = await runCredential(on, ["rotate", "notes", "--json"]);
    expect([code, JSON.parse(out).grants]).toMatchObject([0, [{ issuer: peer.issuer, state: "ended" }]]);
    expect(await peer.isActive(refresh)).toBe(false);
  });

  test("an issuer that does not answer: it is listed, and a broker ends it later", async () => {
    await runCredential(on, ["connect", "notes"], agree);
    const { refresh } = await tokensOf();
    peer.failing.add("revocation");
    const removed = JSON.parse((await runCredential(on, ["remove", "notes", "--yes", "--json"])).out);
    expect(removed.grants).toMatchObject([{ state: "waiting" }]);
    expect(removed.message).toContain("Brokers try it again for 30 days");
    expect(JSON.stringify(removed)).not.toContain(refresh);
    const { out } = await runCredential(on, ["list"]);
    expect(out).toMatch(
      /former +the grant of version 1 for \S+, over since \S+, still counts at its issuer: \S/,
    );
    peer.failing.clear();
    on.advance(5_000);
    await tidy(async ({ credentialRoom }) => credentialRoom.end());
    expect(await peer.isActive(refresh)).toBe(false);
    expect((await runCredential(on, ["list"])).out).not.toContain("former");
  });

  test("an issuer without a revocation endpoint: the command says that it is left to a person, and nobody asks again", async () => {
    await runCredential(on, ["connect", "notes"], agree);
    peer.failing.add("revocation metadata");
    const removed = JSON.parse((await runCredential(on, ["remove", "notes", "--yes", "--json"])).out);
    peer.failing.clear();
    expect(removed.grants).toMatchObject([{ state: "by_hand" }]);
    expect(removed.message).toContain(
      `${peer.issuer} publishes no revocation endpoint: end the grant there by hand.`,
    );
    expect((await runCredential(on, ["list"])).out).toContain("end the grant there by hand");
    const asked = peer.requests.length;
    on.advance(600_000);
    await tidy(async ({ credentialRoom }) => credentialRoom.end());
    expect(peer.requests).toHaveLength(asked);
  });
});

describe("the grant", () => {
  test("is refreshed with rotation: the next token is there to be stored, and both servers take it", async () => {
    await runCredential(on, ["connect", "notes"], agree);
    const { secret, grant } = await stored();
    const context = mintingContext<"oauth">(
      { kind: "oauth" },
      { secret: secret as Uint8Array, serverUrl: peer.serverUrl },
    );
    const result = await kinds.oauth.mint(context);
    if (!result.ok) throw new Error(result.sentence);
    expect(await peer.isActive(result.minted.value ?? "")).toBe(true);
    const next = readGrant(result.minted.replacement);
    expect(next?.refresh_token).not.toBe(grant?.refresh_token);
    expect(await kinds.oauth.mint({ ...context, secret: result.minted.replacement })).toMatchObject({
      ok: true,
    });
  });

  test("a refresh token that is used twice ends the grant: refused, with what to do, and the whole family is over", async () => {
    await runCredential(on, ["connect", "notes"], agree);
    const { secret } = await stored();
    const context = mintingContext<"oauth">(
      { kind: "oauth" },
      { secret: secret as Uint8Array, serverUrl: peer.serverUrl },
    );
    const first = await kinds.oauth.mint(context);
    if (!first.ok) throw new Error(first.sentence);
    const sentence = `${peer.issuer} says that the grant is over: it was revoked, has expired, or its refresh token was used before. Run \`lanyard credential connect notes\`.`;
    expect(await kinds.oauth.mint(context)).toEqual({ ok: false, code: "refused", sentence });
    expect(await kinds.oauth.mint({ ...context, secret: first.minted.replacement })).toMatchObject({
      ok: false,
    });
  });

  test("is shown to no other server, whatever the documents say by now", async () => {
    await runCredential(on, ["connect", "notes"], agree);
    const { secret } = await stored();
    const asked = peer.requests.length;
    const given = { secret: secret as Uint8Array, serverUrl: "https://evil.example/mcp" };
    const result = await kinds.oauth.mint(mintingContext<"oauth">({ kind: "oauth" }, given));
    expect(result).toMatchObject({ ok: false, code: "refused" });
    const moved = mintingContext<"oauth">(
      { kind: "oauth", issuer: "https://evil.example" },
      { ...given, serverUrl: peer.serverUrl },
    );
    expect(await kinds.oauth.mint(moved)).toMatchObject({ ok: false, code: "refused" });
    expect(peer.requests).toHaveLength(asked);
  });
});

describe("test", () => {
  test("shows the server what was granted, and says who that is and what there is", async () => {
    await runCredential(on, ["connect", "notes"], agree);
    const { out, err, code } = await runCredential(on, ["test", "notes", "--json"]);
    expect([err, code]).toEqual(["", 0]);
    expect(JSON.parse(out)).toMatchObject({
      ...{
        ok: true,
        credential: "notes",
        kind: "oauth",
        server: "notes",
        tools: ["list_notes", "read_note"],
      },
      server_info: { name: "notes", version: "3.1.4" },
      who: expect.arrayContaining(["sub: robot@acme.example"]),
    });
    // What it refreshed on the way is what brokers present from now on: nothing was used up beside them.
    expect((await runCredential(on, ["test", "notes"])).out).toContain("notes (oauth) works.");
    const { grant } = await stored();
    expect(out).not.toContain(grant?.access_token);
  });

  test("before anybody connected, says which command is missing", async () => {
    const { err, code } = await runCredential(on, ["test", "notes"]);
    expect([err, code]).toEqual([
      "notes: secret_missing: notes is not set: run `lanyard credential connect notes`.\n",
      1,
    ]);
  });
});

describe("a connection that does not come about", () => {
  test("a person who refuses: the page and the command say so, and nothing of what came is on the page", async () => {
    const { err, code, visited } = await runCredential(on, ["connect", "notes"], async (address) => {
      const state = new URL(address).searchParams.get("state");
      const markup = encodeURIComponent("<script>alert(1)</script>canary");
      return page(
        `${redirectAddressAt(peer.issuer, on.url)}?state=${state}&error=access_denied&iss=${encodeURIComponent(peer.issuer)}&error_description=${markup}&error_uri=${markup}`,
      );
    });
    expect(visited).toMatchObject({ status: 200, text: expect.stringContaining("Not connected") });
    const { text, headers } = visited as Awaited<ReturnType<typeof page>>;
    expect(text).not.toMatch(/script|canary|access_denied/);
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(err).toContain(
      "answered access_denied (whoever was asked said no, or may not). Nothing was stored.",
    );
    expect(err).not.toContain("canary");
    expect([code, (await stored()).grant]).toEqual([1, undefined]);
  });

  test("issuer mix-up: an answer in the name of another issuer is not redeemed anywhere", async () => {
    const { err, code } = await runCredential(on, ["connect", "notes"], async (address) => {
      const back = new URL(await peer.logIn(address));
      back.searchParams.set("iss", "https://evil.example");
      return page(back.href);
    });
    expect(err).toContain(`The answer is of another issuer than ${peer.issuer}`);
    expect([code, (await stored()).grant]).toEqual([1, undefined]);
  });

  test("PKCE stripped: a code that was made out for another challenge is worth nothing", async () => {
    const { err, code } = await runCredential(on, ["connect", "notes"], async (address) => {
      const foreign = new URL(address);
      foreign.searchParams.set("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
      return page(await peer.logIn(foreign.href));
    });
    expect(err).toContain("invalid_grant");
    expect([code, (await stored()).grant]).toEqual([1, undefined]);
  });

  test("state reused: the second answer finds nobody, and the first one counts", async () => {
    const { code, visited } = await runCredential(on, ["connect", "notes"], async (address) => {
      const back = await peer.logIn(address);
      const [first, second] = [await page(back), await page(back.replace(/code=[^&]+/, "code=evil"))];
      return [first.status, second.status];
    });
    expect([code, visited]).toEqual([0, [200, 400]]);
  });

  test("state foreign or malformed, twice or missing: all the same page", async () => {
    const foreign = "A".repeat(43);
    const pages = await Promise.all(
      [
        `state=${foreign}`,
        "state=x",
        `state=${foreign}&state=${foreign}`,
        "",
        `state=${foreign}&code=${"c".repeat(5_000)}`,
      ].map((query) => page(`${on.url}/oauth/callback?code=x&${query}`)),
    );
    expect(new Set(pages.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(pages[0]).toMatchObject({
      status: 400,
      text: expect.stringContaining("Nobody waits for this answer"),
    });
  });

  test("state expired: after ten minutes nobody waits", async () => {
    const { visited } = await runCredential(on, ["connect", "notes"], async (address) => {
      const back = await peer.logIn(address);
      on.advance(10 * 60_000 + 1_000);
      const late = await page(back);
      process.emit("SIGINT");
      return late.status;
    });
    expect(visited).toBe(400);
  });

  test("Ctrl-C stores nothing and leaves nothing behind", async () => {
    const { err, code } = await runCredential(on, ["connect", "notes"], async () => process.emit("SIGINT"));
    expect([err.endsWith("Stopped. Nothing was stored.\n"), code]).toEqual([true, 1]);
    expect(await stored()).toMatchObject({ grant: undefined, pending: [] });
  });

  test("a HEAD request of a link preview uses no state up", async () => {
    const { code, visited } = await runCredential(on, ["connect", "notes"], async (address) => {
      const back = await peer.logIn(address);
      const { status } = await fetch(back, { method: "HEAD" });
      return [status, (await page(back)).status];
    });
    expect([code, visited]).toEqual([0, [404, 200]]);
  });
});

test("the broker publishes who it is as a client, at the address that is its client_id", async () => {
  const address = `${on.url}/.well-known/oauth-client.json`;
  expect(await (await fetch(address)).json()).toMatchObject({
    client_id: address,
    redirect_uris: [`${on.url}/oauth/callback`],
    token_endpoint_auth_method: "none",
  });
});
