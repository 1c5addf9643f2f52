/**
 * The broker as a client that nobody registered: a real authorization server (oidc-provider) reads the document at the
 * broker's public address over TLS, checks it, and takes the broker for the client that it describes.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { readGrant } from "../../../../broker/credentials/oauth/stored-grant.ts";
import { createVault } from "../../../../broker/credentials/vault/vault.ts";
import { loadSealingKey } from "../../../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../../../broker/storage/database.ts";
import { type AuthorizationPeer, startAuthorizationPeer } from "../../../support/authorization-server.ts";
import type { TestBroker } from "../../../support/broker.ts";
import { runCredential, startBrokerWith } from "../../cli/credential/connecting.ts";
import { type TlsFront, startTlsFront } from "./tls-front.ts";

let peer: AuthorizationPeer;
let front: TlsFront;
let publicUrl: string;
let on: TestBroker;
beforeAll(async () => {
  peer = await startAuthorizationPeer({ readsDocuments: true });
  front = await startTlsFront(() => on.broker.address);
  publicUrl = front.url;
});
afterAll(async () => {
  front.close();
  await peer.close();
});
beforeEach(async () => {
  on = await startBrokerWith(peer.serverUrl, "{ kind: oauth }", publicUrl);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await on.close();
});

const visit = async (address: string) => {
  const response = await fetch(address, { headers: { connection: "close" } });
  return { status: response.status, text: await response.text() };
};
const agree = async (address: string) => visit(await peer.logIn(address));
const registrations = () => peer.requests.filter((request) => request === "POST /reg").length;

async function stored() {
  const database = await openDatabase(on.config.database);
  try {
    const sealingKey = await loadSealingKey(on.config.keys);
    const vault = createVault({ database, sealingKey, now: Date.now });
    const [newest] = await vault.open({ name: "notes", owner: "", kind: "oauth" });
    const grant = readGrant(newest?.secret);
    if (grant?.refresh_token === undefined) throw new Error("nothing is connected");
    return { ...grant, refresh_token: grant.refresh_token };
  } finally {
    await database.destroy();
  }
}

test("connects as its document, which nobody registered; what was granted is minted from, and refreshed", async () => {
  const { out, err, code } = await runCredential(on, ["connect", "notes"], agree);
  expect([err.includes("Waiting"), code, registrations()]).toEqual([true, 0, 0]);
  expect(out).toMatch(/Connected as .*sub: robot@acme\.example/);
  const client_id = `${publicUrl}/.well-known/oauth-client.json`;
  const first = await stored();
  expect(first).toMatchObject({
    client: { client_id, origin: "document", redirect_uri: `${publicUrl}/oauth/callback` },
    proof: "none",
  });
  expect((await runCredential(on, ["test", "notes"])).out).toContain(client_id);
  const second = await stored();
  expect(second.refresh_token).not.toBe(first.refresh_token);
  expect(await peer.isActive(second.access_token)).toBe(true);
});

test.each([
  ["with another redirect address", "redirect_uri", (it: string) => it.replace("/oauth/callback", "/evil")],
  ["as a document that speaks of another client", "client_id", (it: string) => `${it}?evil`],
  ["as a document that is not there", "client_id", (it: string) => it.replace("oauth-client", "evil")],
])("whoever asks %s gets no code: the document is read and checked", async (_, name, change) => {
  const { code, visited } = await runCredential(on, ["connect", "notes"], async (address) => {
    const changed = new URL(address);
    changed.searchParams.set(name, change(changed.searchParams.get(name) ?? ""));
    const answer = await visit(changed.href);
    process.emit("SIGINT");
    return answer;
  });
  expect([code, visited]).toEqual([
    1,
    { status: 400, text: expect.stringMatching(/invalid_(client|redirect_uri)/) },
  ]);
});

test("one grant for one person and client: connected again, the old one is held, as its end would be the end of both", async () => {
  const browser = new Map<string, string>();
  const same = async (address: string) => visit(await peer.logIn(address, browser));
  await runCredential(on, ["connect", "notes"], same);
  const old = await stored();
  const { out, code } = await runCredential(on, ["connect", "notes"], same);
  expect([code, out]).toEqual([
    0,
    expect.stringContaining(
      `The grant of version 1 of notes is not ended: ${peer.issuer} may take it for the same grant as the one of notes, and would end both: it is ended once that one is removed.`,
    ),
  ]);
  const now = await stored();
  expect(now.refresh_token).not.toBe(old.refresh_token);
  const areActive = () => Promise.all([old, now].map((each) => peer.isActive(each.refresh_token)));
  expect(await areActive()).toEqual([true, true]);
  expect((await runCredential(on, ["list"])).out).toContain("it is ended once that one is removed");

  const removed = JSON.parse((await runCredential(on, ["remove", "notes", "--yes", "--json"])).out);
  expect(removed.grants).toMatchObject([{ state: "ended" }, { state: "ended" }]);
  expect(await areActive()).toEqual([false, false]);
});

test("this server ends the new one with the old one: what the broker holds back would have been lost", async () => {
  const browser = new Map<string, string>();
  const same = async (address: string) => visit(await peer.logIn(address, browser));
  await runCredential(on, ["connect", "notes"], same);
  const old = await stored();
  await runCredential(on, ["connect", "notes"], same);
  const { client_id } = old.client;
  const body = new URLSearchParams({ token: old.refresh_token, token_type_hint: "refresh_token", client_id });
  await fetch(`${peer.issuer}/token/revocation`, { method: "POST", body });
  expect(await peer.isActive((await stored()).access_token)).toBe(false);
});

test("a broker without TLS has no document to show: it is registered", async () => {
  await on.close();
  on = await startBrokerWith(peer.serverUrl, "{ kind: oauth }");
  const { code } = await runCredential(on, ["connect", "notes"], agree);
  expect([code, registrations()]).toEqual([0, 1]);
  expect((await stored()).client.origin).toBe("registered");
});

test("a server that reads no documents and registers nobody: the error says what to register by hand", async () => {
  const closed = await startAuthorizationPeer({ registers: false });
  await on.close();
  on = await startBrokerWith(closed.serverUrl, "{ kind: oauth }", publicUrl);
  const { err, code } = await runCredential(on, ["connect", "notes"], agree);
  await closed.close();
  expect([code, err]).toEqual([
    1,
    `${closed.issuer} registers no clients by itself: register one there by hand, with the redirect address ${publicUrl}/oauth/callback, and write its issuer and client_id. Nothing was stored.\n`,
  ]);
});
