/** Attacks on the DPoP proof at the token endpoint: every check of RFC 9449, section 4.3. */
import { randomUUID } from "node:crypto";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { Holder, exchange } from "../../support/session-holder.ts";
import { sendRaw } from "./raw-request.ts";

let on: TestBroker;
let holder: Holder;
/** Every test is a job of its own. */
let job: { run_id: string };
let jobs = 2800;

beforeAll(async () => {
  on = await startTestBroker();
});
afterAll(async () => {
  await on.close();
});
beforeEach(async () => {
  holder = await Holder.create();
  jobs += 1;
  job = { run_id: String(jobs) };
});

const token = async (overrides: Record<string, unknown> = {}): Promise<string> =>
  on.subjectToken({ ...job, ...overrides });

describe("the proof", () => {
  const target = () => ({ method: "POST", url: `${on.url}/token`, now: on.now() });
  const withProof = async (proof: string | null) =>
    exchange(on, holder, { subjectToken: await token(), proof });
  const refused = { status: 400, body: { error: "invalid_dpop_proof" } };

  test("missing", async () => {
    expect(await withProof(null)).toMatchObject(refused);
  });

  test("two in one request", async () => {
    const proof = await holder.prove(target());
    expect(await withProof(`${proof}, ${proof}`)).toMatchObject(refused);
  });

  test("for another URL or method", async () => {
    for (const claims of [
      { htu: `${on.url}/session` },
      { htu: "https://lanyard.acme.dev/token" },
      { htu: `${on.url}/token/` },
      { htm: "GET" },
      { htm: "post" },
    ]) {
      expect(await withProof(await holder.prove(target(), { claims }))).toMatchObject(refused);
    }
  });

  test("old, or of a clock that is ahead", async () => {
    for (const offset of [-31, 31]) {
      const iat = Math.floor(on.now() / 1000) + offset;
      expect(await withProof(await holder.prove(target(), { claims: { iat } }))).toMatchObject(refused);
    }
    expect(
      await withProof(await holder.prove(target(), { claims: { iat: Math.floor(on.now() / 1000) - 25 } })),
    ).toMatchObject({ status: 200 });
  });

  test("key swapped: signed by another key than the one in its header", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    expect(await withProof(await holder.prove(target(), { key: privateKey }))).toMatchObject(refused);
  });

  test("with a private key in its header, without a jti, of another typ", async () => {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = await exportJWK(privateKey);
    expect(await withProof(await holder.prove(target(), { key: privateKey, header: { jwk } }))).toMatchObject(
      refused,
    );
    expect(await withProof(await holder.prove(target(), { claims: { jti: "" } }))).toMatchObject(refused);
    expect(await withProof(await holder.prove(target(), { header: { typ: "JWT" } }))).toMatchObject(refused);
  });

  test("alg none, and HS256 with the public key as the secret", async () => {
    const { url, now } = target();
    const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString("base64url");
    const claims = { jti: randomUUID(), htm: "POST", htu: url, iat: Math.floor(now / 1000) };
    const head = { typ: "dpop+jwt", jwk: holder.jwk };
    expect(await withProof(`${encode({ ...head, alg: "none" })}.${encode(claims)}.`)).toMatchObject(refused);
    const hmac = await new SignJWT(claims)
      .setProtectedHeader({ ...head, alg: "HS256" })
      .sign(Buffer.from(JSON.stringify(holder.jwk).padEnd(32)));
    expect(await withProof(hmac)).toMatchObject(refused);
  });

  test("by a key of another curve or kind than the metadata says", async () => {
    for (const alg of ["ES384", "RS256", "Ed25519"]) {
      const { privateKey, publicKey } = await generateKeyPair(alg);
      const jwk = await exportJWK(publicKey);
      const proof = holder.prove(target(), { key: privateKey, header: { alg, jwk } });
      expect(await withProof(await proof), alg).toMatchObject(refused);
    }
  });

  test("whose claims are missing, of another type, or not this request", async () => {
    const { url } = target();
    for (const claims of [
      { htm: undefined },
      { htu: undefined },
      { iat: undefined },
      { jti: undefined },
      { iat: String(Math.floor(on.now() / 1000)) },
      { jti: 12345678 },
      { jti: "x".repeat(200) },
      { htm: ["POST"] },
      { htu: [url] },
      { htu: `${url}?x=1` },
      { htu: url.toUpperCase() },
      { ath: "x".repeat(43) },
    ]) {
      const proof = await holder.prove(target(), { claims });
      expect(await withProof(proof), JSON.stringify(claims)).toMatchObject(refused);
    }
  });

  test("that says itself that it has run out, or is not good yet", async () => {
    const seconds = Math.floor(on.now() / 1000);
    for (const claims of [{ exp: seconds - 1 }, { nbf: seconds + 60 }, { exp: "never" }, { nbf: "now" }]) {
      const proof = await holder.prove(target(), { claims });
      expect(await withProof(proof), JSON.stringify(claims)).toMatchObject(refused);
    }
    const proof = await holder.prove(target(), { claims: { nbf: seconds - 60, exp: seconds + 600 } });
    expect(await withProof(proof)).toMatchObject({ status: 200 });
  });

  test("by a key that is no point of the curve, is spelled in another way, or is for something else", async () => {
    const { jwk } = holder;
    const [x, y] = [String(jwk["x"]), String(jwk["y"])];
    const zero = Buffer.alloc(32).toString("base64url");
    const nextOf = (last: string): string => String.fromCharCode(last.charCodeAt(0) + 1);
    for (const header of [
      { jwk: { ...jwk, x: y, y: x } },
      { jwk: { ...jwk, x: zero, y: zero } },
      { jwk: { ...jwk, x: `${x}=` } },
      { jwk: { ...jwk, x: ` ${x}` } },
      { jwk: { ...jwk, x: x.slice(0, -1) + nextOf(x.slice(-1)) } },
      { jwk: { ...jwk, x: `AA${x}` } },
      { jwk: { ...jwk, use: "enc" } },
      { jwk: { ...jwk, alg: "ES384" } },
      { jwk: { ...jwk, key_ops: ["sign"] } },
    ]) {
      expect(await withProof(await holder.prove(target(), { header })), JSON.stringify(header)).toMatchObject(
        refused,
      );
    }
    const said = { ...jwk, use: "sig", alg: "ES256", key_ops: ["verify"], kid: "mine" };
    expect(await withProof(await holder.prove(target(), { header: { jwk: said } }))).toMatchObject({
      status: 200,
    });
  });

  test("whose signature is missing, cut short, of another form or another spelling", async () => {
    const proof = await holder.prove(target());
    const [head = "", payload = "", signature = ""] = proof.split(".");
    const raw = Buffer.from(signature, "base64url");
    const zeros = Buffer.alloc(64).toString("base64url");
    for (const wrong of [
      "",
      raw.subarray(0, 63).toString("base64url"),
      Buffer.concat([raw, Buffer.of(0)]).toString("base64url"),
      zeros,
      `${signature}=`,
      `${signature}.${signature}`,
    ]) {
      expect(await withProof([head, payload, wrong].join(".")), wrong).toMatchObject(refused);
    }
  });

  test("with an unknown crit, without a key, or too large", async () => {
    for (const header of [{ jwk: undefined }, { jwk: { kty: "EC" } }, { jwk: "x" }]) {
      expect(await withProof(await holder.prove(target(), { header }))).toMatchObject(refused);
    }
    const [, payload = "", signature = ""] = (await holder.prove(target())).split(".");
    const critical = { typ: "dpop+jwt", alg: "ES256", jwk: holder.jwk, crit: ["x"], x: 1 };
    const head = Buffer.from(JSON.stringify(critical)).toString("base64url");
    expect(await withProof([head, payload, signature].join("."))).toMatchObject(refused);
    const large = await holder.prove(target(), { claims: { padding: "x".repeat(5000) } });
    expect(await withProof(large)).toMatchObject(refused);
    expect(await withProof("x")).toMatchObject(refused);
  });

  test("in two headers of one request", async () => {
    const proof = await holder.prove(target());
    const { status, answered } = await sendRaw(
      `${on.url}/token`,
      [
        ["DPoP", proof],
        ["DPoP", await holder.prove(target())],
        ["Content-Type", "application/x-www-form-urlencoded"],
      ],
      new URLSearchParams({
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion: await token(),
        resource: on.url,
      }).toString(),
    );
    expect([status, JSON.parse(answered).error]).toEqual([400, "invalid_dpop_proof"]);
  });

  test("replayed, with a fresh subject token", async () => {
    const proof = await holder.prove(target());
    expect((await withProof(proof)).status).toBe(200);
    expect(await withProof(proof)).toMatchObject(refused);
    expect(on.lastRefusal().code).toBe("proof_replayed");
  });
});
