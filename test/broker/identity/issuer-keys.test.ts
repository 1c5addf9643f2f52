/** How keys of an issuer are found, and what a hostile or broken issuer can do to the broker: nothing. */
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type IssuerKeys, createIssuerKeys } from "../../../broker/identity/issuer-keys.ts";
import { type PublicJwk, fetchPublishedKeys } from "../../../broker/identity/published-keys.ts";
import { type ScriptedIssuer, createIssuerKey, startScriptedIssuer } from "../../support/scripted-issuer.ts";

const MINUTE = 60_000;
let issuer: ScriptedIssuer;
let keys: { find(kid: string): Promise<readonly PublicJwk[]> };
let found: IssuerKeys;
let now: number;

beforeEach(async () => {
  issuer = await startScriptedIssuer();
  now = 1_000_000;
  const fetchKeys = async () => fetchPublishedKeys(issuer.url, { privateIssuers: [] });
  found = createIssuerKeys({ fetchKeys, now: () => now });
  keys = { find: async (kid) => (await found.find(kid)).keys };
});
afterEach(async () => {
  await issuer.close();
});

const redirect = (location: string) => (response: ServerResponse) => {
  response.writeHead(302, { location });
  response.end();
};

test("keys are fetched once and then known", async () => {
  expect(await keys.find("key-1")).toHaveLength(1);
  expect(await keys.find("key-1")).toHaveLength(1);
  expect(issuer.fetched).toEqual({ discovery: 1, keys: 1 });
});

test("at the first use many ask at once: one fetch", async () => {
  await Promise.all(Array.from({ length: 50 }, async () => keys.find("key-1")));
  expect(issuer.fetched).toEqual({ discovery: 1, keys: 1 });
});

test("unknown kid: one refetch a minute, not more", async () => {
  await keys.find("key-1");
  now += MINUTE;
  for (let count = 0; count < 5; count += 1) expect(await keys.find("unknown")).toEqual([]);
  expect(issuer.fetched.keys).toBe(2);
  now += MINUTE;
  expect(await keys.find("unknown")).toEqual([]);
  expect(issuer.fetched.keys).toBe(3);
});

test("a flood of random kids costs one fetch", async () => {
  await keys.find("key-1");
  now += MINUTE;
  await Promise.all(Array.from({ length: 200 }, async (_, index) => keys.find(`random-${index}`)));
  expect(issuer.fetched.keys).toBe(2);
});

test("a rotated key is found by its kid", async () => {
  await keys.find("key-1");
  issuer.keys.push((await createIssuerKey("RS256", "key-2")).jwk);
  now += MINUTE;
  expect(await keys.find("key-2")).toHaveLength(1);
});

test("key rotation while the issuer is down: known keys are good for a day, then no more", async () => {
  await keys.find("key-1");
  issuer.answerKeys = (response) => {
    response.statusCode = 503;
    response.end();
  };
  now += 23 * 60 * MINUTE;
  expect(await keys.find("key-1")).toHaveLength(1);
  now += 2 * 60 * MINUTE;
  await expect(keys.find("key-1")).rejects.toMatchObject({ code: "fetch_failed" });
});

test("a key that was withdrawn is gone after the next fetch", async () => {
  await keys.find("key-1");
  issuer.keys = [(await createIssuerKey("RS256", "key-2")).jwk];
  now += 10 * MINUTE;
  expect(await keys.find("key-1")).toEqual([]);
});

test("an issuer that was not up yet is asked again soon", async () => {
  issuer.answerDiscovery = (response) => {
    response.statusCode = 500;
    response.end();
  };
  await expect(keys.find("key-1")).rejects.toMatchObject({ code: "fetch_failed" });
  await expect(keys.find("key-1")).rejects.toMatchObject({ code: "fetch_failed" });
  expect(issuer.fetched.discovery).toBe(1);
  issuer.answerDiscovery = undefined;
  now += 2_000;
  expect(await keys.find("key-1")).toHaveLength(1);
});

test("a discovery document whose issuer differs", async () => {
  issuer.discovery = { issuer: "https://attacker.example" };
  await expect(keys.find("key-1")).rejects.toThrow("another issuer");
});

test.each([
  ["169.254.169.254", "http://169.254.169.254/latest/meta-data"],
  ["another port of the same host", "http://127.0.0.1:1/keys"],
  ["a file", "file:///etc/passwd"],
  ["a name with the issuer's as userinfo", "http://127.0.0.1@attacker.example/keys"],
])("jwks_uri to %s", async (_name, jwksUri) => {
  issuer.discovery = { jwks_uri: jwksUri };
  await expect(keys.find("key-1")).rejects.toMatchObject({ code: "fetch_failed" });
  expect(issuer.fetched.keys).toBe(0);
});

test("a redirect of the discovery document or of the keys is not followed", async () => {
  const other = await startScriptedIssuer();
  issuer.answerDiscovery = redirect(`${other.url}/.well-known/openid-configuration`);
  await expect(keys.find("key-1")).rejects.toMatchObject({ code: "fetch_failed" });
  issuer.answerDiscovery = undefined;
  issuer.answerKeys = redirect(`${other.url}/keys`);
  now += MINUTE;
  await expect(keys.find("key-1")).rejects.toMatchObject({ code: "fetch_failed" });
  expect(other.fetched).toEqual({ discovery: 0, keys: 0 });
  await other.close();
});

test.each([
  ["empty", (response: ServerResponse) => void response.end('{"keys":[]}')],
  ["not JSON", (response: ServerResponse) => void response.end("<html>")],
  ["5 MB", (response: ServerResponse) => void response.end(`{"keys":[],"x":"${"x".repeat(5_000_000)}"}`)],
  [
    "1,000 keys",
    (response: ServerResponse) =>
      void response.end(
        JSON.stringify({ keys: Array.from({ length: 1000 }, () => ({ kty: "RSA", kid: "key-1" })) }),
      ),
  ],
])("a JWKS that is %s", async (_name, answer) => {
  issuer.answerKeys = answer;
  await expect(keys.find("key-1")).rejects.toMatchObject({ code: "fetch_failed" });
});

test("a JWKS that never ends is given up", async () => {
  issuer.answerKeys = (response) => void response.write("{");
  await expect(keys.find("key-1")).rejects.toMatchObject({ code: "fetch_failed" });
});

test("private members that an issuer publishes are not kept", async () => {
  issuer.keys = [{ ...issuer.key.jwk, d: "secret" }];
  const [key] = await keys.find("key-1");
  expect(key).not.toHaveProperty("d");
});
