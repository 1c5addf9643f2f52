/** The kinds whose secret a person typed in: what is presented, and what cannot be one. */
import { expect, test } from "vitest";
import type { CredentialKindName } from "../../../../policies/documents/credential-entry.ts";
import type { EntryOfKind, MintContext } from "../../../../broker/credentials/kind.ts";
import { basic } from "../../../../broker/credentials/kinds/basic.ts";
import { bearer } from "../../../../broker/credentials/kinds/bearer.ts";
import { headers } from "../../../../broker/credentials/kinds/headers.ts";
import { none } from "../../../../broker/credentials/kinds/none.ts";

const contextOf = <Name extends CredentialKindName>(
  entry: EntryOfKind<Name>,
  secret: string | undefined,
): MintContext<Name> => ({
  name: "c",
  entry,
  secret: secret === undefined ? undefined : Buffer.from(secret),
  serverUrl: undefined,
  session: undefined,
  ask: async () => {
    throw new Error("nobody is asked");
  },
  signAssertion: async () => {
    throw new Error("nothing is signed");
  },
  publicUrl: "https://lanyard.example",
  now: () => 0,
});
const HEADERS = { "X-Api-Key": "{secret}", Authorization: "Token {secret}", "X-Tenant": "acme" };

test("a bearer token stands in one header", async () => {
  const result = await bearer.mint(contextOf({ kind: "bearer" }, "abc.def"));
  expect(result).toMatchObject({
    ok: true,
    minted: { headers: { authorization: "Bearer abc.def" }, value: "abc.def", secrets: ["abc.def"] },
  });
});

test("a password stands in one header, in UTF-8, and its encoded form is a secret too", async () => {
  const result = await basic.mint(contextOf({ kind: "basic", username: "robot" }, "pä:ss"));
  const encoded = Buffer.from("robot:pä:ss").toString("base64");
  expect(result).toMatchObject({
    ok: true,
    minted: { headers: { authorization: `Basic ${encoded}` }, secrets: ["pä:ss", encoded] },
  });
});

test("headers have the secret where the documents say so, as it is", async () => {
  const result = await headers.mint(contextOf({ kind: "headers", headers: HEADERS }, "$&{secret}"));
  expect(result).toMatchObject({
    ok: true,
    minted: {
      headers: { "x-api-key": "$&{secret}", authorization: "Token $&{secret}", "x-tenant": "acme" },
      secrets: ["$&{secret}"],
    },
  });
});

test("none presents nothing", async () => {
  expect(await none.mint(contextOf({ kind: "none" }, undefined))).toMatchObject({
    ok: true,
    minted: { headers: {}, secrets: [] },
  });
});

const bad = ["two\nlines", "with\r", " padded", "padded ", "zero\0", "ü", "x".repeat(20_000), ""];
test.each(bad.map((text) => [JSON.stringify(text.slice(0, 12)), text]))(
  "%s is no token and no header",
  (_, text) => {
    for (const problem of [
      bearer.checkSecret(Buffer.from(text), { kind: "bearer" }),
      headers.checkSecret(Buffer.from(text), { kind: "headers", headers: HEADERS }),
    ]) {
      expect(problem).toEqual(expect.any(String));
      expect(problem).not.toContain(text.trim() || "nothing");
    }
  },
);

test("what is nearly a token is told apart", () => {
  const check = (text: string) => bearer.checkSecret(Buffer.from(text), { kind: "bearer" });
  expect(check("ghp_abc")).toBeUndefined();
  expect(check("Bearer abc")).toMatch(/leave it out/);
  expect(check("a b")).toMatch(/characters/);
});

test("a password may hold what headers may not, but no control characters", () => {
  const check = (secret: Uint8Array) => basic.checkSecret(secret, { kind: "basic", username: "u" });
  expect(check(Buffer.from("pässwörd 🔑"))).toBeUndefined();
  for (const secret of [
    Buffer.from(""),
    Buffer.from("a\nb"),
    Buffer.from("a\tb"),
    Buffer.from([0xff, 0xfe]),
  ]) {
    expect(check(secret)).toEqual(expect.any(String));
  }
});
