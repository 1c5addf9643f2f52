/** `client-credentials` and `token-exchange` at a real authorization server. */
import { exportJWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EntryOfKind } from "../../../../broker/credentials/kind.ts";
import { clientCredentials } from "../../../../broker/credentials/kinds/client-credentials.ts";
import { tokenExchange } from "../../../../broker/credentials/kinds/token-exchange.ts";
import {
  type AuthorizationPeer,
  CLIENT_SECRET,
  startAuthorizationPeer,
} from "../../../support/authorization-server.ts";
import {
  MINTING_SESSION,
  PUBLIC_URL,
  assertionKey,
  mintingContext,
} from "../../../support/minting-context.ts";

let peer: AuthorizationPeer;
beforeAll(async () => {
  peer = await startAuthorizationPeer();
  peer.trust({ keys: [{ ...(await exportJWK(assertionKey)), kid: "t1", alg: "ES256" }] });
});
afterAll(async () => {
  await peer.close();
});

type Entry = EntryOfKind<"client-credentials">;
const bySecret = (): Entry => ({
  kind: "client-credentials",
  issuer: peer.issuer,
  client_id: "by-secret",
  scopes: ["read"],
});
const given = (secret: string) => ({ secret: Buffer.from(secret), serverUrl: peer.serverUrl });

const askServer = (headers: Readonly<Record<string, string>>) =>
  fetch(peer.serverUrl, {
    method: "POST",
    headers: {
      ...headers,
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
    },
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    }),
  });

describe("client-credentials", () => {
  test.each([
    ["a secret in the header", () => bySecret(), () => CLIENT_SECRET],
    [
      "a secret in the form",
      () => ({ ...bySecret(), client_id: "by-form", client_auth: "client_secret_post" as const }),
      () => CLIENT_SECRET,
    ],
    [
      "a key that signs",
      () => ({ ...bySecret(), client_id: "signer", client_auth: "private_key_jwt" as const }),
      () => peer.signerKey,
    ],
  ])("gives a token that the server takes, proved by %s, and ends it", async (_how, entryOf, secretOf) => {
    const context = mintingContext<"client-credentials">(entryOf(), given(secretOf()));
    expect(clientCredentials.checkSecret(Buffer.from(secretOf()), context.entry)).toBeUndefined();
    const before = Date.now();
    const result = await clientCredentials.mint(context);
    if (!result.ok) throw new Error(result.sentence);
    const { minted } = result;
    expect(minted.expiresAt).toBeGreaterThanOrEqual(before + 599_000);
    expect(minted.secrets).toEqual([minted.value]);
    expect((await askServer(minted.headers)).status).toBe(200);
    expect((await askServer({})).status).toBe(401);
    expect(await clientCredentials.identify?.(minted, context)).toContainEqual(
      `client_id: ${context.entry.client_id}`,
    );

    expect(await clientCredentials.end?.(minted.ticket ?? "", context)).toEqual({ ok: true });
    expect((await askServer(minted.headers)).status).toBe(401);
    // Ended before is ended.
    expect(await clientCredentials.end?.(minted.ticket ?? "", context)).toEqual({ ok: true });
  });

  test("asks a token endpoint that publishes no metadata", async () => {
    const { issuer: _, ...entry } = bySecret();
    const context = mintingContext<"client-credentials">(
      { ...entry, token_url: `${peer.issuer}/token` },
      given(CLIENT_SECRET),
    );
    const result = await clientCredentials.mint(context);
    expect(result).toMatchObject({ ok: true, minted: { ticket: undefined } });
  });

  test("a wrong secret is refused, by its code and without the secret", async () => {
    const result = await clientCredentials.mint(
      mintingContext<"client-credentials">(bySecret(), given("wrong-canary")),
    );
    expect(result).toMatchObject({ ok: false, code: "refused" });
    expect(JSON.stringify(result)).toContain("invalid_client");
    expect(JSON.stringify(result)).not.toContain("canary");
  });

  test("an authorization server that is down is unavailable, not refused", async () => {
    const entry = { ...bySecret(), issuer: "http://127.0.0.1:9" };
    const result = await clientCredentials.mint(
      mintingContext<"client-credentials">(entry, given(CLIENT_SECRET)),
    );
    expect(result).toMatchObject({ ok: false, code: "unavailable" });
  });

  test.each([
    ["not JSON", "x"],
    ["a public key", '{"kty":"EC","crv":"P-256","x":"a","y":"b"}'],
    ["numbers that are no key", '{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"c"}'],
    ["a symmetric key", '{"kty":"oct","k":"AAAA"}'],
  ])("a key that is %s is not stored", (_what, text) => {
    const entry = { ...bySecret(), client_auth: "private_key_jwt" as const };
    expect(clientCredentials.checkSecret(Buffer.from(text), entry)).toMatch(/^It(s numbers)? /);
  });
});

describe("token-exchange", () => {
  const entry = (): EntryOfKind<"token-exchange"> => ({
    ...{ kind: "token-exchange", issuer: peer.issuer, client_id: "by-secret" },
  });

  test("the authorization server hears which robot it is and which job acts, and the server takes its token", async () => {
    const context = mintingContext<"token-exchange">(entry(), given(CLIENT_SECRET));
    const result = await tokenExchange.mint(context);
    if (!result.ok) throw new Error(result.sentence);
    expect((await askServer(result.minted.headers)).status).toBe(200);
    const said = peer.exchanged.at(-1) as { exp: number; iat: number };
    expect(said).toMatchObject({
      iss: PUBLIC_URL,
      sub: MINTING_SESSION.robot,
      aud: peer.issuer,
      resource: peer.serverUrl,
      act: { repository: "acme/payments", repository_id: "456789", run_id: "987654321", run_attempt: "2" },
    });
    expect(said.exp - said.iat).toBe(60);
    expect(await tokenExchange.end?.(result.minted.ticket ?? "", context)).toEqual({ ok: true });
    expect((await askServer(result.minted.headers)).status).toBe(401);
  });

  test("a client that may not exchange tokens is refused, and the sentence says where to look", async () => {
    const context = mintingContext<"token-exchange">(
      { ...entry(), client_id: "by-form", client_auth: "client_secret_post" },
      given(CLIENT_SECRET),
    );
    expect(await tokenExchange.mint(context)).toEqual({
      ok: false,
      code: "refused",
      sentence: `The authorization server ${peer.issuer} answered invalid_request (it did not understand what it was asked, or misses something: compare resource, audience and scopes).`,
    });
  });

  test("is made for a session and for nobody else", async () => {
    const context = mintingContext<"token-exchange">(entry(), {
      ...given(CLIENT_SECRET),
      session: undefined,
    });
    await expect(tokenExchange.mint(context)).rejects.toThrow("without a session");
  });
});
