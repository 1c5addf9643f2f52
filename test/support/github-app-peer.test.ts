/** The peer itself: it accepts what GitHub accepts of an app, and nothing more. */
import { createPrivateKey } from "node:crypto";
import { SignJWT } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type GithubAppPeer, startGithubAppPeer } from "./github-app-peer.ts";

let github: GithubAppPeer;
beforeEach(async () => {
  github = await startGithubAppPeer();
  const owner = { id: 1, login: "acme" };
  github.repositories.set(10, { name: "one", owner }).set(11, { name: "two", owner });
  const permissions = { contents: "write", issues: "read", metadata: "read" };
  github.installations.push({ id: 7, account: owner, permissions, repositories: "all", suspended: false });
});
afterEach(async () => github.close());

const seconds = (): number => Math.floor(Date.now() / 1000);
const stateApp = async (
  changed: { iss?: string; iat?: number; exp?: number; key?: string; alg?: string } = {},
) =>
  new SignJWT({ iat: changed.iat ?? seconds() - 60, exp: changed.exp ?? seconds() + 540 })
    .setProtectedHeader({ alg: changed.alg ?? "RS256" })
    .setIssuer(changed.iss ?? github.appId)
    .sign(createPrivateKey(github.privateKey));
const ask = async (method: string, path: string, token: string, body?: object) =>
  fetch(`${github.apiUrl}${path}`, {
    method,
    redirect: "manual",
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
const makeToken = async (body: object): Promise<Record<string, any>> => {
  const answer = await ask("POST", "/app/installations/7/access_tokens", await stateApp(), body);
  return { ...((await answer.json()) as object), status: answer.status };
};

test("a statement counts for ten minutes at most, of this app, under RS256 and its key", async () => {
  const statusOf = async (changed: Parameters<typeof stateApp>[0]) =>
    (await ask("GET", "/repos/acme/one/installation", await stateApp(changed))).status;
  expect(await statusOf({})).toBe(200);
  expect(await statusOf({ iss: github.clientId })).toBe(200);
  expect(await statusOf({ exp: seconds() + 900 })).toBe(401);
  expect(await statusOf({ exp: seconds() - 1 })).toBe(401);
  expect(await statusOf({ iat: seconds() + 120 })).toBe(401);
  expect(await statusOf({ iss: "1" })).toBe(401);
  expect(await statusOf({ alg: "PS256" })).toBe(401);
  expect((await ask("GET", "/repos/acme/one/installation", "")).status).toBe(401);
});

test("a renamed repository is a redirect, and its id finds the installation", async () => {
  github.renamed.set("acme/old", 10);
  const moved = await ask("GET", "/repos/acme/old/installation", await stateApp());
  expect([moved.status, moved.headers.get("location")]).toEqual([
    301,
    `${github.apiUrl}/repositories/10/installation`,
  ]);
  expect((await ask("GET", "/repositories/10/installation", await stateApp())).status).toBe(200);
  expect((await ask("GET", "/repositories/99/installation", await stateApp())).status).toBe(404);
});

test("nothing asked for is everything; what is asked for is that and metadata", async () => {
  const all = await makeToken({});
  expect(all).toMatchObject({ status: 201, repository_selection: "all", permissions: { contents: "write" } });
  expect(all).not.toHaveProperty("repositories");
  expect(await makeToken({ repository_ids: [10], permissions: { issues: "read" } })).toMatchObject({
    permissions: { issues: "read", metadata: "read" },
    repository_selection: "selected",
    repositories: [{ id: 10, full_name: "acme/one" }],
  });
});

test("more than the installation has is 422", async () => {
  for (const body of [
    { permissions: { issues: "write" } },
    { permissions: { secrets: "read" } },
    { repository_ids: [12] },
    { repositories: ["one", "three"] },
  ]) {
    expect(await makeToken(body)).toMatchObject({ status: 422 });
  }
});

test("a token has the length and the form of GitHub's, reaches its repositories, and dies when it is revoked", async () => {
  const { token } = await makeToken({ repositories: ["One"], permissions: { issues: "read" } });
  expect(token).toMatch(/^ghs_424242_[\w-]+\.[\w-]+\.[\w-]+$/);
  expect(Math.abs(token.length - 520)).toBeLessThan(40);
  expect((await ask("GET", "/repos/acme/one", token)).status).toBe(200);
  expect((await ask("GET", "/repos/acme/two", token)).status).toBe(404);
  expect((await ask("DELETE", "/installation/token", token)).status).toBe(204);
  expect((await ask("GET", "/repos/acme/one", token)).status).toBe(401);
  expect((await ask("DELETE", "/installation/token", token)).status).toBe(401);
});

test("a token is unknown for a while, and over after an hour", async () => {
  github.unheard = 2;
  const { token } = await makeToken({ repository_ids: [10] });
  const statusOf = async () => (await ask("GET", "/repos/acme/one", token)).status;
  expect([await statusOf(), await statusOf(), await statusOf()]).toEqual([401, 401, 200]);
  github.clockOffsetMs = 3_600_001;
  expect(await statusOf()).toBe(401);
});

test("requests are counted, and one too many is 403 with the time when there are more", async () => {
  github.remaining = 1;
  const first = await ask("GET", "/repos/acme/one/installation", await stateApp());
  const second = await ask("GET", "/repos/acme/one/installation", await stateApp());
  expect([first.status, second.status]).toEqual([200, 403]);
  expect(second.headers.get("x-ratelimit-remaining")).toBe("0");
  expect(Number(second.headers.get("x-ratelimit-reset"))).toBeGreaterThan(seconds());
});
