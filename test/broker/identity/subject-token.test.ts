/** Attacks on the subject token, against an issuer that publishes whatever the attack needs. */
import { createHmac, generateKeyPairSync } from "node:crypto";
import { CompactEncrypt, type CryptoKey, exportSPKI, importJWK } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SubjectTokens, createSubjectTokens } from "../../../broker/identity/subject-token.ts";
import { claimsOfJob } from "../../support/broker.ts";
import {
  type ScriptedIssuer,
  assembleToken,
  createIssuerKey,
  startScriptedIssuer,
} from "../../support/scripted-issuer.ts";

const AUDIENCE = "https://lanyard.acme.dev";
let issuer: ScriptedIssuer;
let tokens: SubjectTokens;
let now: number;

beforeEach(async () => {
  issuer = await startScriptedIssuer();
  now = Date.now();
  tokens = createSubjectTokens({ issuers: [issuer.url], audience: AUDIENCE, now: () => now });
});
afterEach(async () => {
  await issuer.close();
});

const claims = (overrides: Record<string, unknown> = {}): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({ ...claimsOfJob(issuer.url, AUDIENCE, now), ...overrides }).filter(
      ([, value]) => value !== undefined,
    ),
  );
const codeOf = async (token: string): Promise<string> => {
  const verified = await tokens.verify(token);
  return verified.ok ? "accepted" : verified.code;
};
const signed = async (overrides: Record<string, unknown>): Promise<string> =>
  codeOf(await issuer.sign(claims(overrides)));

test("a token of a job gives its claims and its workload", async () => {
  const verified = await tokens.verify(await issuer.sign(claims()));
  expect(verified).toMatchObject({
    ok: true,
    workload: {
      iss: issuer.url,
      repository_id: "456789",
      run_id: "1001",
      run_attempt: "1",
      check_run_id: "5001",
    },
    claims: { repository: "acme/payments", event_name: "schedule" },
  });
});

test("an older server that sends no check_run_id is understood", async () => {
  const verified = await tokens.verify(await issuer.sign(claims({ check_run_id: undefined })));
  expect(verified).toMatchObject({ ok: true, workload: { check_run_id: null } });
});

test("an issuer's ES256 key is accepted", async () => {
  const { privateKey, jwk } = await createIssuerKey("ES256", "ec-1");
  issuer.keys.push(jwk);
  expect(
    await codeOf(await issuer.sign(claims(), { key: privateKey, header: { alg: "ES256", kid: "ec-1" } })),
  ).toBe("accepted");
});

describe("the signature", () => {
  test("alg none", async () => {
    expect(await codeOf(assembleToken({ typ: "JWT", alg: "none", kid: "key-1" }, claims(), "AA"))).toBe(
      "algorithm_refused",
    );
    expect(await codeOf(assembleToken({ typ: "JWT", alg: "none", kid: "key-1" }, claims(), ""))).toBe(
      "subject_token_malformed",
    );
  });

  test("HS256 signed with the RSA public key", async () => {
    const publicKey = await importJWK(issuer.key.jwk, "RS256", { extractable: true });
    const pem = await exportSPKI(publicKey as CryptoKey);
    const input = assembleToken({ typ: "JWT", alg: "HS256", kid: "key-1" }, claims(), "").slice(0, -1);
    const mac = createHmac("sha256", pem).update(input).digest("base64url");
    expect(await codeOf(`${input}.${mac}`)).toBe("algorithm_refused");
  });

  test("an algorithm outside the issuer's list", async () => {
    const { privateKey, jwk } = await createIssuerKey("RS512", "rs512");
    issuer.keys.push(jwk);
    const token = await issuer.sign(claims(), { key: privateKey, header: { alg: "RS512", kid: "rs512" } });
    expect(await codeOf(token)).toBe("algorithm_refused");
  });

  test("missing kid", async () => {
    expect(await codeOf(await issuer.sign(claims(), { header: { kid: undefined } }))).toBe("key_unknown");
  });

  test("a signature of another key under a known kid", async () => {
    const { privateKey } = await createIssuerKey();
    expect(await codeOf(await issuer.sign(claims(), { key: privateKey }))).toBe("signature_invalid");
  });

  test("same kid, other kty or use", async () => {
    const token = await issuer.sign(claims());
    const { jwk } = await createIssuerKey("ES256", "key-1");
    for (const key of [jwk, { ...issuer.key.jwk, use: "enc" }, { ...issuer.key.jwk, alg: "RS512" }]) {
      issuer.keys = [key];
      const fresh = createSubjectTokens({ issuers: [issuer.url], audience: AUDIENCE, now: () => now });
      expect(await fresh.verify(token)).toMatchObject({ code: "key_unknown" });
    }
  });

  test("two keys of one kid", async () => {
    issuer.keys = [issuer.key.jwk, { ...(await createIssuerKey()).jwk }];
    expect(await signed({})).toBe("key_unknown");
  });

  test("RSA-1024", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    issuer.keys = [
      { ...publicKey.export({ format: "jwk" }), kty: "RSA", kid: "key-1", alg: "RS256", use: "sig" },
    ];
    const input = assembleToken({ typ: "JWT", alg: "RS256", kid: "key-1" }, claims(), "").slice(0, -1);
    const { sign } = await import("node:crypto");
    const signature = sign("sha256", Buffer.from(input), privateKey).toString("base64url");
    expect(await codeOf(`${input}.${signature}`)).toBe("key_unusable");
  });

  test("EC point off the curve", async () => {
    const { privateKey, jwk } = await createIssuerKey("ES256", "ec-1");
    issuer.keys.push({ ...jwk, y: jwk.x ?? "" });
    expect(
      await codeOf(await issuer.sign(claims(), { key: privateKey, header: { alg: "ES256", kid: "ec-1" } })),
    ).toBe("key_unusable");
  });

  test.each(["jku", "x5u", "jwk", "x5c", "zip", "cty"])(
    "a header with %s, which would bring its own key or meaning",
    async (member) => {
      const value = member === "jwk" ? issuer.key.jwk : "https://attacker.example/keys";
      expect(await codeOf(await issuer.sign(claims(), { header: { [member]: value } }))).toBe(
        "subject_token_malformed",
      );
    },
  );

  test("unknown crit", async () => {
    const token = assembleToken(
      { typ: "JWT", alg: "RS256", kid: "key-1", crit: ["exp"], exp: 1 },
      claims(),
      "AAAA",
    );
    expect(await codeOf(token)).toBe("subject_token_malformed");
  });
});

describe("the form", () => {
  test("JWE", async () => {
    const jwe = await new CompactEncrypt(Buffer.from("{}"))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(Buffer.alloc(32));
    expect(await codeOf(jwe)).toBe("subject_token_malformed");
  });

  test("nested JWT", async () => {
    const inner = await issuer.sign(claims());
    expect(await codeOf(assembleToken({ typ: "JWT", alg: "RS256", kid: "key-1" }, inner, "AAAA"))).toBe(
      "subject_token_malformed",
    );
  });

  test("16 KiB+ token", async () => {
    expect(await signed({ filler: "x".repeat(16 * 1024) })).toBe("subject_token_malformed");
  });

  test("JSON nested 10,000 deep", async () => {
    const deep = `{"iss":${JSON.stringify(issuer.url)},"a":${"[".repeat(5000)}${"]".repeat(5000)}}`;
    expect(await codeOf(assembleToken({ typ: "JWT", alg: "RS256", kid: "key-1" }, deep, "AAAA"))).toBe(
      "subject_token_malformed",
    );
  });

  test("duplicate claim names", async () => {
    const text = JSON.stringify(claims());
    for (const payload of [
      text.replace("{", '{"repository_id":"1",'),
      text.replace("{", '{"\\u0072epository_id":"1",'),
      text.replace("{", '{"nested":[{"a":1,"b":{"a":2},"a":3}],'),
    ]) {
      expect(await codeOf(assembleToken({ typ: "JWT", alg: "RS256", kid: "key-1" }, payload, "AAAA"))).toBe(
        "subject_token_malformed",
      );
    }
  });

  test("a name that appears in different objects is no duplicate", async () => {
    expect(await signed({ nested: [{ a: { a: "a" } }, { a: '"a":1,"a"' }], other: { iss: "x" } })).toBe(
      "accepted",
    );
  });

  test("duplicate header names", async () => {
    const header = '{"typ":"JWT","alg":"none","alg":"RS256","kid":"key-1"}';
    expect(await codeOf(assembleToken(header, claims(), "AAAA"))).toBe("subject_token_malformed");
  });

  test("non-canonical base64url, trailing dots, CRLF", async () => {
    const token = await issuer.sign(claims());
    const [header = "", payload = "", signature = ""] = token.split(".");
    const last = signature.at(-1) ?? "";
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const sibling = alphabet[alphabet.indexOf(last) ^ 1] ?? "";
    const variants = [
      `${header}.${payload}.${signature.slice(0, -1)}${sibling}`,
      `${token}.`,
      `${token}=`,
      `${token}\r\n`,
      ` ${token}`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.${signature}`,
      "",
      "..",
    ];
    for (const variant of variants) {
      expect(await codeOf(variant), JSON.stringify(variant.slice(-20))).toBe("subject_token_malformed");
    }
  });

  test("our own access token as subject token: another typ", async () => {
    expect(await codeOf(await issuer.sign(claims(), { header: { typ: "at+jwt" } }))).toBe("token_type_wrong");
    expect(await codeOf(await issuer.sign(claims(), { header: { typ: undefined } }))).toBe(
      "token_type_wrong",
    );
  });
});

describe("the issuer", () => {
  test("trailing slash, other case, suffix domain, userinfo, port, homoglyph: nothing is fetched", async () => {
    const { host } = new URL(issuer.url);
    for (const iss of [
      `${issuer.url}/`,
      issuer.url.toUpperCase(),
      `${issuer.url}.attacker.example`,
      `http://x@${host}`,
      "http://127.0.0.1:1",
      issuer.url.replace("1", "１"),
      undefined,
      null,
      [issuer.url],
      "__proto__",
    ]) {
      expect(await signed({ iss }), String(iss)).toBe("issuer_unknown");
    }
    expect(issuer.fetched).toEqual({ discovery: 0, keys: 0 });
  });

  test("the same ids from a second configured issuer are another workload", async () => {
    const second = await startScriptedIssuer();
    const { privateKey } = await createIssuerKey();
    const both = createSubjectTokens({
      issuers: [issuer.url, second.url],
      audience: AUDIENCE,
      now: () => now,
    });
    const one = await both.verify(await issuer.sign(claims()));
    const other = await both.verify(await second.sign(claims({ iss: second.url })));
    // A token of the second issuer that claims to be of the first.
    const lie = await both.verify(await second.sign(claims(), { key: privateKey }));
    await second.close();
    expect(one).toMatchObject({ ok: true, workload: { iss: issuer.url } });
    expect(other).toMatchObject({ ok: true, workload: { iss: second.url } });
    expect(lie).toMatchObject({ ok: false, code: "signature_invalid" });
  });
});

describe("the audience", () => {
  test("the default audience, other clouds, prefixes and slashes", async () => {
    for (const aud of [
      "https://github.com/acme",
      "sts.amazonaws.com",
      "pypi",
      "sigstore",
      `${AUDIENCE}/`,
      `${AUDIENCE}.x`,
      AUDIENCE.toUpperCase(),
      "",
      undefined,
      null,
      1,
      {},
    ]) {
      expect(await signed({ aud }), JSON.stringify(aud)).toBe("audience_wrong");
    }
  });

  test("an aud array that contains ours and another", async () => {
    expect(await signed({ aud: [AUDIENCE, "sts.amazonaws.com"] })).toBe("audience_wrong");
    expect(await signed({ aud: [] })).toBe("audience_wrong");
    expect(await signed({ aud: [AUDIENCE] })).toBe("accepted");
  });
});

describe("the times", () => {
  const seconds = (offset: number): number => Math.floor(now / 1000) + offset;

  test("expired by a second", async () => {
    expect(await signed({ exp: seconds(-1), iat: seconds(-301) })).toBe("subject_token_expired");
    expect(await signed({ exp: seconds(0), iat: seconds(-300) })).toBe("subject_token_expired");
  });

  test("nbf, iat in the future", async () => {
    expect(await signed({ nbf: seconds(120) })).toBe("subject_token_early");
    expect(await signed({ iat: seconds(120) })).toBe("subject_token_early");
    expect(await signed({ iat: seconds(20), nbf: seconds(20) })).toBe("accepted");
  });

  test("missing, as string, with a fraction", async () => {
    for (const name of ["iat", "nbf", "exp"]) {
      for (const value of [undefined, String(seconds(0)), seconds(0) + 0.5, null, 1e400]) {
        expect(await signed({ [name]: value }), `${name} ${value}`).toBe("subject_token_malformed");
      }
    }
  });

  test("exp - iat over an hour", async () => {
    expect(await signed({ exp: seconds(3600), iat: seconds(-1) })).toBe("lifetime_too_long");
    expect(await signed({ exp: seconds(3600), iat: seconds(0) })).toBe("accepted");
  });
});

describe("the claims that identify a job", () => {
  test.each([
    "jti",
    "sub",
    "repository_id",
    "repository_owner_id",
    "run_id",
    "run_attempt",
    "workflow_ref",
    "job_workflow_ref",
    "event_name",
    "ref",
    "runner_environment",
  ])("no %s", async (name) => {
    expect(await signed({ [name]: undefined })).toBe("claims_missing");
    expect(await signed({ [name]: "" })).toBe("claims_missing");
    expect(await signed({ [name]: null })).toBe("claims_missing");
    expect(await signed({ [name]: ["456789"] })).toBe("claims_missing");
    expect(await signed({ [name]: 456789 })).toBe("claims_missing");
  });
});
