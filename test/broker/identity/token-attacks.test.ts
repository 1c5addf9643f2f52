/** What is wrong with a subject token itself: every attack is made at a listening broker, over HTTP. */
import { createHmac, generateKeyPairSync, sign as signBytes } from "node:crypto";
import { CompactEncrypt, type CryptoKey, type JWK, exportSPKI, importJWK } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type TestBroker, claimsOfJob } from "../../support/broker.ts";
import { assembleToken, createIssuerKey } from "../../support/scripted-issuer.ts";
import { Holder, exchange } from "../../support/session-holder.ts";
import { attempt, newJob, startTarget } from "./attempts.ts";

const HEADER = { typ: "JWT", alg: "RS256", kid: "key-1" };
const MINUTE = 60_000;
let on: TestBroker;

beforeAll(async () => {
  on = await startTarget();
});
afterAll(async () => {
  await on.close();
});
afterEach(() => {
  on.issuer.keys = [on.issuer.key.jwk];
});

const claims = (overrides: Record<string, unknown> = {}): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({ ...claimsOfJob(on.issuer.url, on.url, on.now()), ...newJob(), ...overrides }).filter(
      ([, value]) => value !== undefined,
    ),
  );
const codeOf = async (token: string): Promise<string> => (await attempt(on, token)).code;
const signed = async (overrides: Record<string, unknown>): Promise<string> =>
  codeOf(await on.issuer.sign(claims(overrides)));
const withHeader = async (header: Record<string, unknown>): Promise<string> =>
  codeOf(await on.issuer.sign(claims(), { header }));
/** RSA over exactly this header and payload, however they are written. */
const signedText = async (header: unknown, payload: unknown): Promise<string> => {
  const input = assembleToken(header, payload, "").slice(0, -1);
  const signature = await crypto.subtle.sign(
    "RSASSA-PKCS1-v1_5",
    on.issuer.key.privateKey,
    Buffer.from(input),
  );
  return `${input}.${Buffer.from(signature).toString("base64url")}`;
};
/** The issuer publishes these keys, and the broker is about to look. */
const publish = (...keys: JWK[]): void => {
  on.issuer.keys = [on.issuer.key.jwk, ...keys];
  on.advance(MINUTE);
};
const text = (value: string | Buffer): string => Buffer.from(value).toString("base64url");

test("the token of a job is accepted, so that what is refused below is refused for its fault", async () => {
  expect(await signed({})).toBe("accepted");
  expect(await codeOf(await signedText(HEADER, claims()))).toBe("accepted");
  expect(await withHeader({ x5t: "7e2f", "x5t#S256": "x" })).toBe("accepted");
});

describe("the algorithm", () => {
  test.each(["none", "None", "NONE", "nOnE", ""])("alg none: %j", async (alg) => {
    expect(await codeOf(assembleToken({ ...HEADER, alg }, claims(), "AA"))).toBe("algorithm_refused");
  });

  test("alg none without a signature", async () => {
    expect(await codeOf(assembleToken({ ...HEADER, alg: "none" }, claims(), ""))).toBe(
      "subject_token_malformed",
    );
  });

  test.each(["HS256", "HS512"])("%s signed with the RSA public key", async (alg) => {
    const publicKey = await importJWK(on.issuer.key.jwk, "RS256", { extractable: true });
    for (const secret of [
      await exportSPKI(publicKey as CryptoKey),
      JSON.stringify(on.issuer.key.jwk),
      on.issuer.key.jwk.n ?? "",
    ]) {
      const input = assembleToken({ ...HEADER, alg }, claims(), "").slice(0, -1);
      const mac = createHmac(alg === "HS256" ? "sha256" : "sha512", secret)
        .update(input)
        .digest("base64url");
      expect(await codeOf(`${input}.${mac}`)).toBe("algorithm_refused");
    }
  });

  test.each(["RS512", "PS256", "ES384", "EdDSA"])(
    "an algorithm outside the broker's list, by a key that the issuer publishes: %s",
    async (alg) => {
      const { privateKey, jwk } = await createIssuerKey(alg, `kid-${alg}`);
      publish(jwk);
      const token = await on.issuer.sign(claims(), { key: privateKey, header: { alg, kid: `kid-${alg}` } });
      expect(await codeOf(token)).toBe("algorithm_refused");
    },
  );

  test("an algorithm outside the issuer's list", async () => {
    const { privateKey, jwk } = await createIssuerKey("ES256", "ec-listed");
    on.issuer.discovery = { id_token_signing_alg_values_supported: ["RS256"] };
    publish(jwk);
    const options = { key: privateKey, header: { alg: "ES256", kid: "ec-listed" } };
    expect(await codeOf(await on.issuer.sign(claims(), options))).toBe("algorithm_refused");
    on.issuer.discovery = {};
    on.advance(10 * MINUTE);
    expect(await codeOf(await on.issuer.sign(claims(), options))).toBe("accepted");
  });

  test.each([
    ["RS256"],
    [["RS256"]],
    [{ RS256: 1 }],
    [null],
    [undefined],
    [1],
    ["__proto__"],
    ["rs256"],
    ["RS256\u0000"],
  ])("alg as array, object, number, in another case: %j", async (alg) => {
    const expected = alg === "RS256" ? "accepted" : "algorithm_refused";
    expect(await codeOf(await signedText({ ...HEADER, alg }, claims()))).toBe(expected);
  });
});

describe("the key", () => {
  test("missing kid", async () => {
    expect(await withHeader({ kid: undefined })).toBe("key_unknown");
  });

  test.each([
    [""],
    [["key-1"]],
    [{ "key-1": 1 }],
    [null],
    [1],
    ["key-1\n"],
    ["key-1\u0000"],
    ["KEY-1"],
    ["__proto__"],
  ])("kid as array, object, number, with a newline: %j", async (kid) => {
    expect(await codeOf(await signedText({ ...HEADER, kid }, claims()))).toBe("key_unknown");
  });

  test("unknown kid: one refetch a minute, not more", async () => {
    await signed({});
    on.advance(MINUTE);
    const before = on.issuer.fetched.keys;
    for (let count = 0; count < 5; count += 1)
      expect(await withHeader({ kid: `x-${count}` })).toBe("key_unknown");
    expect(on.issuer.fetched.keys - before).toBe(1);
    on.advance(MINUTE - 1000);
    expect(await withHeader({ kid: "y" })).toBe("key_unknown");
    expect(on.issuer.fetched.keys - before).toBe(1);
    on.advance(1000);
    expect(await withHeader({ kid: "z" })).toBe("key_unknown");
    expect(on.issuer.fetched.keys - before).toBe(2);
  });

  test("a flood of random kids: one fetch for all, and honest tokens pass in between", async () => {
    await signed({});
    on.advance(MINUTE);
    const before = { ...on.issuer.fetched };
    const flood = Array.from({ length: 100 }, async (_, index) => withHeader({ kid: `random-${index}` }));
    const honest = Array.from({ length: 5 }, async () => signed({}));
    expect(new Set(await Promise.all(flood))).toEqual(new Set(["key_unknown"]));
    expect(await Promise.all(honest)).toEqual(Array.from({ length: 5 }, () => "accepted"));
    expect(on.issuer.fetched).toEqual({ discovery: before.discovery + 1, keys: before.keys + 1 });
  });

  test("same kid, other kty", async () => {
    const { privateKey, jwk } = await createIssuerKey("ES256", "same-kid-kty");
    publish(jwk);
    const header = { kid: "same-kid-kty" };
    expect(await codeOf(await on.issuer.sign(claims(), { header }))).toBe("key_unknown");
    const asEc = await on.issuer.sign(claims(), { key: privateKey, header: { ...header, alg: "ES256" } });
    expect(await codeOf(asEc)).toBe("accepted");
  });

  test.each([
    ["use enc", { use: "enc" }],
    ["use in another case", { use: "SIG" }],
    ["another alg", { alg: "RS512" }],
    ["key_ops that do not verify", { use: undefined, key_ops: ["encrypt"] }],
    ["key_ops that only sign", { key_ops: ["sign"] }],
  ])("same kid, other use: %s", async (name, members) => {
    const { privateKey, jwk } = await createIssuerKey("RS256", name);
    publish({ ...jwk, ...members } as JWK);
    const token = await on.issuer.sign(claims(), { key: privateKey, header: { kid: name } });
    expect(await codeOf(token)).toBe("key_unknown");
  });

  test("a key that says nothing of its use, or that it verifies, is a signing key", async () => {
    const { privateKey, jwk } = await createIssuerKey("RS256", "silent");
    const { use: _use, alg: _alg, ...silent } = jwk;
    publish({ ...silent, kid: "silent", key_ops: ["verify"] });
    expect(await codeOf(await on.issuer.sign(claims(), { key: privateKey, header: { kid: "silent" } }))).toBe(
      "accepted",
    );
  });

  test("JWKS with the same kid twice", async () => {
    const { privateKey, jwk } = await createIssuerKey("RS256", "twice");
    const { jwk: other } = await createIssuerKey("RS256", "twice");
    for (const keys of [
      [jwk, other],
      [other, jwk],
      [jwk, jwk],
    ]) {
      publish(...keys);
      on.advance(10 * MINUTE);
      const token = await on.issuer.sign(claims(), { key: privateKey, header: { kid: "twice" } });
      expect(await codeOf(token)).toBe("key_unknown");
    }
  });

  test("JWKS with a key that is none: the others are still there", async () => {
    const { privateKey, jwk } = await createIssuerKey("RS256", "beside");
    publish({ kty: "RSA", kid: 7 } as unknown as JWK, null as unknown as JWK, { kty: "oct", k: "AA" }, jwk);
    expect(await codeOf(await on.issuer.sign(claims(), { key: privateKey, header: { kid: "beside" } }))).toBe(
      "accepted",
    );
  });

  test("a signature of another key under a known kid", async () => {
    const { privateKey } = await createIssuerKey();
    expect(await codeOf(await on.issuer.sign(claims(), { key: privateKey }))).toBe("signature_invalid");
  });

  test("a JWKS that changes between fetches: the same kid is another key from then on", async () => {
    const first = await createIssuerKey("RS256", "changing");
    const second = await createIssuerKey("RS256", "changing");
    const by = async ({ privateKey }: { privateKey: CryptoKey }) =>
      codeOf(await on.issuer.sign(claims(), { key: privateKey, header: { kid: "changing" } }));
    publish(first.jwk);
    expect(await by(first)).toBe("accepted");
    publish(second.jwk);
    on.advance(10 * MINUTE);
    expect(await by(first)).toBe("signature_invalid");
    expect(await by(second)).toBe("accepted");
  });

  const signedByNode = (kid: string, key: Parameters<typeof signBytes>[2]): string => {
    const input = assembleToken({ ...HEADER, kid }, claims(), "").slice(0, -1);
    return `${input}.${signBytes("sha256", Buffer.from(input), key).toString("base64url")}`;
  };

  test("RSA-1024", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    publish({
      ...publicKey.export({ format: "jwk" }),
      kty: "RSA",
      kid: "rsa-1024",
      alg: "RS256",
      use: "sig",
    });
    expect(await codeOf(signedByNode("rsa-1024", privateKey))).toBe("key_unusable");
  });

  test("RSA with the exponent 3", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
    publish({ ...publicKey.export({ format: "jwk" }), kty: "RSA", kid: "rsa-e3", alg: "RS256", use: "sig" });
    expect(await codeOf(signedByNode("rsa-e3", privateKey))).toBe("key_unusable");
  });

  test("RSA with 16,384 bits, which would cost the broker dearly", async () => {
    const n = Buffer.alloc(2048, 0xff).toString("base64url");
    publish({ kty: "RSA", n, e: "AQAB", kid: "rsa-huge", alg: "RS256", use: "sig" });
    expect(
      await codeOf(assembleToken({ ...HEADER, kid: "rsa-huge" }, claims(), text(Buffer.alloc(2048, 1)))),
    ).toBe("key_unusable");
  });

  test("EC point off the curve", async () => {
    const { privateKey, jwk } = await createIssuerKey("ES256", "ec-off");
    publish({ ...jwk, y: jwk.x ?? "" });
    const header = { alg: "ES256", kid: "ec-off" };
    expect(await codeOf(await on.issuer.sign(claims(), { key: privateKey, header }))).toBe("key_unusable");
  });

  test("EC signature of zeros", async () => {
    const { jwk } = await createIssuerKey("ES256", "ec-zero");
    publish(jwk);
    const token = assembleToken(
      { ...HEADER, alg: "ES256", kid: "ec-zero" },
      claims(),
      text(Buffer.alloc(64)),
    );
    expect(await codeOf(token)).toBe("signature_invalid");
  });

  test("a key of the header in place of the issuer's: jku, x5u, jwk headers, and x5c", async () => {
    const { privateKey, jwk } = await createIssuerKey();
    for (const header of [
      { jku: "https://attacker.example/keys" },
      { x5u: "https://attacker.example/cert" },
      { jwk },
      { x5c: ["MIIB"] },
    ]) {
      expect(await codeOf(await on.issuer.sign(claims(), { key: privateKey, header }))).toBe(
        "subject_token_malformed",
      );
    }
  });
});

describe("the header", () => {
  test.each([
    ["unknown crit", { crit: ["exp"], exp: 1 }],
    ["an empty crit", { crit: [] }],
    ["b64:false", { b64: false }],
    ["b64:false with crit", { b64: false, crit: ["b64"] }],
    ["a zip header", { zip: "DEF" }],
    ["cty JWT", { cty: "JWT" }],
    ["an enc", { enc: "A256GCM" }],
  ])("%s", async (_, members) => {
    expect(await codeOf(await signedText({ ...HEADER, ...members }, claims()))).toBe(
      "subject_token_malformed",
    );
  });

  test.each([
    ["at+jwt"],
    ["dpop+jwt"],
    ["jwt"],
    ["Jwt"],
    ["application/jwt"],
    ["JWT "],
    [["JWT"]],
    [null],
    [undefined],
  ])("typ %j, which is not exactly JWT", async (typ) => {
    expect(await codeOf(await signedText({ ...HEADER, typ }, claims()))).toBe("token_type_wrong");
  });

  test("our own access token as subject token", async () => {
    const holder = await Holder.create();
    await exchange(on, holder, { subjectToken: await on.subjectToken(newJob()) });
    expect(holder.accessToken).toMatch(/^ey/);
    expect(await codeOf(holder.accessToken)).toBe("issuer_unknown");
  });

  test("duplicate header names", async () => {
    const header = '{"typ":"JWT","alg":"none","alg":"RS256","kid":"key-1"}';
    expect(await codeOf(await signedText(header, claims()))).toBe("subject_token_malformed");
  });
});

describe("the form", () => {
  test("JWE", async () => {
    const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify(claims())))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(Buffer.alloc(32));
    expect(await codeOf(jwe)).toBe("subject_token_malformed");
  });

  test("nested JWT", async () => {
    const inner = await on.issuer.sign(claims());
    expect(await codeOf(await signedText(HEADER, inner))).toBe("subject_token_malformed");
    expect(await codeOf(await signedText({ ...HEADER, cty: "JWT" }, inner))).toBe("subject_token_malformed");
  });

  test.each([
    ["[]"],
    ["null"],
    ["1"],
    ['"text"'],
    [""],
    ["{"],
    ["{}x"],
    ["\u0000{}"],
    ["\ufeff{}"],
    [`[${JSON.stringify({ iss: "x" })}]`],
  ])("a payload that is not an object: %j", async (payload) => {
    expect(await codeOf(await signedText(HEADER, payload))).toBe("subject_token_malformed");
  });

  test("a payload that is not UTF-8", async () => {
    const bytes = Buffer.from(JSON.stringify(claims({ note: "?" })));
    bytes[bytes.lastIndexOf("?".charCodeAt(0))] = 0xff;
    const token = `${text(JSON.stringify(HEADER))}.${text(bytes)}.AAAA`;
    expect(await codeOf(token)).toBe("subject_token_malformed");
  });

  test("16 KiB+ token", async () => {
    expect(await signed({ filler: "x".repeat(12_400) })).toBe("subject_token_malformed");
    expect(await signed({ filler: "x".repeat(6_000) })).toBe("accepted");
  });

  test("a token that the form has no room for", async () => {
    const { status } = await exchange(on, await Holder.create(), { subjectToken: "x".repeat(200_000) });
    expect(status).toBe(413);
  });

  test.each([
    ["10,000 deep, and never closed", `{"a":${"[".repeat(10_000)}`],
    ["5,000 deep", `{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}`],
    ["1,000 objects deep", `${'{"a":'.repeat(1_000)}1${"}".repeat(1_000)}`],
  ])("JSON nested %s", async (_, nested) => {
    expect(
      await codeOf(await signedText(HEADER, `{"nested":${nested},${JSON.stringify(claims()).slice(1)}`)),
    ).toBe("subject_token_malformed");
  });

  test("duplicate claim names", async () => {
    for (const twice of [
      '"repository_id":"1"',
      '"\\u0072epository_id":"1"',
      '"nested":[{"a":1,"b":{"a":2},"a":3}]',
    ]) {
      const payload = `{${twice},${JSON.stringify(claims()).slice(1)}`;
      expect(await codeOf(await signedText(HEADER, payload)), twice).toBe("subject_token_malformed");
    }
  });

  test("non-canonical base64url, trailing dots, CRLF", async () => {
    const token = await on.issuer.sign(claims());
    const [header = "", payload = "", signature = ""] = token.split(".");
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const sibling = alphabet[alphabet.indexOf(signature.at(-1) ?? "") ^ 1] ?? "";
    for (const variant of [
      `${header}.${payload}.${signature.slice(0, -1)}${sibling}`,
      `${header}.${payload}.${signature.replaceAll("-", "+").replaceAll("_", "/")}==`,
      `${token}.`,
      `.${token}`,
      `${token}=`,
      `${token}\r\n`,
      `${header}\r\n.${payload}.${signature}`,
      ` ${token}`,
      `${token}\u0000`,
      `${header}.${payload}`,
      `${header}..${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature}.${signature}`,
      "..",
      "null",
    ]) {
      expect(await codeOf(variant), JSON.stringify(variant.slice(-20))).toBe("subject_token_malformed");
    }
    expect(await codeOf(token)).toBe("accepted");
  });

  test("an empty token", async () => {
    const { status, body } = await exchange(on, await Holder.create(), { subjectToken: "" });
    expect([status, body.error]).toEqual([400, "invalid_request"]);
  });
});

describe("the audience", () => {
  test("the default audience", async () => {
    expect(await signed({ aud: "https://github.com/acme" })).toBe("audience_wrong");
  });

  test.each(["sts.amazonaws.com", "pypi", "sigstore", "api://AzureADTokenExchange"])(
    "a token for %s",
    async (aud) => {
      expect(await signed({ aud })).toBe("audience_wrong");
    },
  );

  test.each([[""], [undefined], [null], [1], [{}], [true]])("an aud that is none: %j", async (aud) => {
    expect(await signed({ aud })).toBe("audience_wrong");
  });

  test("an aud that is nearly ours: a slash, another case, a trailing newline, NUL, a path, a suffix", async () => {
    for (const change of [
      (url: string) => `${url}/`,
      (url: string) => url.toUpperCase(),
      (url: string) => `${url}\n`,
      (url: string) => `${url}\u0000`,
      (url: string) => ` ${url}`,
      (url: string) => `${url}/token`,
      (url: string) => `${url}.attacker.example`,
      (url: string) => url.replace("http:", "https:"),
      (url: string) => url.replace("127.0.0.1", "localhost"),
    ]) {
      expect(await signed({ aud: change(on.url) }), change(on.url)).toBe("audience_wrong");
    }
  });

  test("an aud array that contains ours and another", async () => {
    for (const aud of [
      [on.url, "sts.amazonaws.com"],
      ["pypi", on.url],
      [on.url, on.url],
      [],
      [[on.url]],
      [null],
    ]) {
      expect(await signed({ aud }), JSON.stringify(aud)).toBe("audience_wrong");
    }
  });

  test("an aud array with ours alone says the same as ours", async () => {
    expect(await signed({ aud: [on.url] })).toBe("accepted");
  });
});

describe("the times", () => {
  const seconds = (offset: number): number => Math.floor(on.now() / 1000) + offset;

  test("expired by a second", async () => {
    expect(await signed({ exp: seconds(-1), iat: seconds(-301), nbf: seconds(-301) })).toBe(
      "subject_token_expired",
    );
    expect(await signed({ exp: seconds(0), iat: seconds(-300), nbf: seconds(-300) })).toBe(
      "subject_token_expired",
    );
    expect(await signed({ exp: seconds(5), iat: seconds(-295), nbf: seconds(-295) })).toBe("accepted");
  });

  test("nbf, iat in the future", async () => {
    expect(await signed({ nbf: seconds(60) })).toBe("subject_token_early");
    expect(await signed({ iat: seconds(60) })).toBe("subject_token_early");
    expect(await signed({ iat: seconds(20), nbf: seconds(20) })).toBe("accepted");
  });

  test.each(["iat", "nbf", "exp"])("%s missing, as string, with a fraction, null, infinite", async (name) => {
    for (const value of [undefined, String(seconds(100)), seconds(100) + 0.5, null, true, [seconds(100)]]) {
      expect(await signed({ [name]: value }), String(value)).toBe("subject_token_malformed");
    }
  });

  test("huge numbers as times: 1e400, 2^53+1, -0, far in the past", async () => {
    const written = (name: string, number: string): string =>
      JSON.stringify(claims({ [name]: "here" })).replace('"here"', number);
    for (const [name, number, code] of [
      ["exp", "1e400", "subject_token_malformed"],
      ["exp", "9007199254740993", "subject_token_malformed"],
      ["exp", "1e15", "lifetime_too_long"],
      ["exp", "-0", "subject_token_malformed"],
      ["iat", "-1e15", "lifetime_too_long"],
      ["iat", "0", "lifetime_too_long"],
      ["iat", "-1e400", "subject_token_malformed"],
      ["nbf", "0", "accepted"],
    ] as const) {
      expect(await codeOf(await signedText(HEADER, written(name, number))), `${name} ${number}`).toBe(code);
    }
  });

  test("exp as float: the same number in another notation is the same number", async () => {
    const payload = JSON.stringify(claims({ exp: "here" })).replace('"here"', `${seconds(100)}.0`);
    expect(await codeOf(await signedText(HEADER, payload))).toBe("accepted");
  });

  test("a token that ends before it begins", async () => {
    expect(await signed({ iat: seconds(20), exp: seconds(10) })).toBe("subject_token_malformed");
    expect(await signed({ nbf: seconds(20), exp: seconds(10) })).toBe("subject_token_malformed");
  });

  test("exp - iat over an hour", async () => {
    expect(await signed({ exp: seconds(3601), iat: seconds(0) })).toBe("lifetime_too_long");
    expect(await signed({ exp: seconds(3600), iat: seconds(0) })).toBe("accepted");
  });
});
