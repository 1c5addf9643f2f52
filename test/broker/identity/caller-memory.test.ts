/** What is remembered of callers saves work, and lets nobody in. */
import { type JSONWebKeySet, createLocalJWKSet, exportJWK, generateKeyPair } from "jose";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { issueAccessToken } from "../../../broker/identity/access-token.ts";
import { type CallerMemory, createCallerMemory } from "../../../broker/identity/caller-memory.ts";
import { verifyProof } from "../../../broker/identity/dpop-proof.ts";
import { Holder } from "../../support/session-holder.ts";

const publicUrl = "https://broker.example";
const now = 1_800_000_000_000;
const until = now + 60_000;

let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let published: JSONWebKeySet;
let holder: Holder;
let accessToken: string;
let memory: CallerMemory;
let lookups: number;

beforeAll(async () => {
  pair = await generateKeyPair("ES256");
  holder = await Holder.create();
  accessToken = await issue("session-1");
});
beforeEach(async () => {
  published = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "one", alg: "ES256" }] };
  memory = createCallerMemory(() => published);
  lookups = 0;
});

async function issue(session: string): Promise<string> {
  const contents = {
    publicUrl,
    session,
    robot: "acme/payments/triager",
    scope: "reader",
    actor: { sub: "job" },
  };
  const times = { issuedAt: now - 1_000, expiresAt: until };
  return issueAccessToken(
    { ...contents, ...times, thumbprint: holder.thumbprint },
    { kid: "one", privateKey: pair.privateKey },
  );
}

async function verify(token: string, { at = now, graceSeconds = 0 } = {}): Promise<string> {
  const find = createLocalJWKSet(published);
  const verified = await memory.verifyToken(token, {
    ...{ publicUrl, now: at, graceSeconds },
    findKey: async (header, jws) => {
      lookups += 1;
      return find(header, jws);
    },
  });
  return verified.ok ? verified.session : verified.code;
}

const prove = async (proof: string): Promise<string> => {
  const request = { method: "POST", url: `${publicUrl}/mcp/notes`, now, accessToken };
  const verified = await verifyProof(proof, { ...request, findKey: memory.findProofKey });
  return verified.ok ? verified.thumbprint : verified.detail;
};
const sign = async (overrides = {}): Promise<string> =>
  holder.prove({ method: "POST", url: `${publicUrl}/mcp/notes`, now, accessToken }, overrides);

test("a token is verified once, also when it comes many times", async () => {
  for (let time = 0; time < 3; time += 1) expect(await verify(accessToken)).toBe("session-1");
  expect(lookups).toBe(1);
});

test("a token that was altered is another token", async () => {
  const other = await issue("session-2");
  expect(await verify(accessToken)).toBe("session-1");
  const [header, payload] = other.split(".");
  const forged = [header, payload, accessToken.split(".")[2]].join(".");
  expect(await verify(forged)).toBe("access_token_invalid");
});

test("a remembered token runs out like any other", async () => {
  expect(await verify(accessToken)).toBe("session-1");
  expect(await verify(accessToken, { at: until })).toBe("access_token_invalid");
  expect(await verify(accessToken, { at: until, graceSeconds: 60 })).toBe("session-1");
  expect(await verify(accessToken, { at: until })).toBe("access_token_invalid");
});

test("what a key signed that is no longer published is forgotten", async () => {
  expect(await verify(accessToken)).toBe("session-1");
  published = { keys: [] };
  expect(await verify(accessToken)).toBe("access_token_invalid");
});

test("a token that was being verified while its key was taken back is not remembered", async () => {
  const find = createLocalJWKSet(published);
  await memory.verifyToken(accessToken, {
    ...{ publicUrl, now, graceSeconds: 0 },
    findKey: async (header, jws) => {
      published = { keys: [] };
      return find(header, jws);
    },
  });
  expect(await verify(accessToken)).toBe("access_token_invalid");
});

test("the key of a proof is read once, and each proof is verified with it", async () => {
  expect(await prove(await sign())).toBe(holder.thumbprint);
  const stranger = await generateKeyPair("ES256");
  const [other, again] = [await sign({ key: stranger.privateKey }), await sign()];
  expect(await prove(other)).toBe("JWSSignatureVerificationFailed");
  expect(await prove(again)).toBe(holder.thumbprint);
});

test("a private key in a proof is refused, however often it comes", async () => {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const header = { jwk: await exportJWK(privateKey) };
  for (let time = 0; time < 2; time += 1) {
    expect(await prove(await sign({ header, key: privateKey }))).toBe("JWSInvalid");
  }
});
