/** Attacks on the endpoints of a session, over HTTP; and what each answers when all is well. */
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { SignJWT, generateKeyPair } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import {
  Holder,
  LogWriter,
  announce,
  call,
  exchange,
  note,
  readAnswer,
} from "../../support/session-holder.ts";

const MINUTE = 60_000;
let on: TestBroker;
let holder: Holder;
let job: { run_id: string };
let jobs = 3000;

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
  expect((await exchange(on, holder, { subjectToken: await on.subjectToken(job) })).status).toBe(200);
});

const target = (path = "/session", method = "GET") => ({
  method,
  url: `${on.url}${path}`,
  now: on.now(),
  accessToken: holder.accessToken,
});
const unauthorized = { status: 401 };

describe("token and proof", () => {
  const read = async (proof: string | null, accessToken = holder.accessToken) =>
    call(on, holder, "GET /session", undefined, { proof, accessToken });

  test("no token, no proof, or as a bearer: refused with a challenge", async () => {
    const bare = await readAnswer(await fetch(`${on.url}/session`));
    expect(bare).toMatchObject({ status: 401, body: { error: "invalid_token" } });
    const rest = `algs="ES256", resource_metadata="${on.url}/.well-known/oauth-protected-resource"`;
    expect(bare.headers.get("www-authenticate")).toBe(`DPoP ${rest}`);
    expect(bare.headers.get("cache-control")).toBe("no-store");
    const bearer = await readAnswer(
      await fetch(`${on.url}/session`, { headers: { authorization: `Bearer ${holder.accessToken}` } }),
    );
    expect(bearer).toMatchObject(unauthorized);
    expect(bearer.headers.get("www-authenticate")).toBe(`DPoP error="invalid_token", ${rest}`);
    const unproved = await read(null);
    expect(unproved).toMatchObject({ status: 401, body: { error: "invalid_dpop_proof" } });
    expect(unproved.headers.get("www-authenticate")).toBe(`DPoP error="invalid_dpop_proof", ${rest}`);
  });

  test("ath wrong or missing", async () => {
    expect(await read(await holder.prove(target(), { claims: { ath: "x".repeat(43) } }))).toMatchObject(
      unauthorized,
    );
    const { accessToken: _, ...withoutToken } = target();
    expect(await read(await holder.prove(withoutToken))).toMatchObject(unauthorized);
  });

  test("wrong htu and htm", async () => {
    for (const claims of [
      { htu: `${on.url}/session/renew` },
      { htu: `${on.url}/token` },
      { htm: "DELETE" },
    ]) {
      expect(await read(await holder.prove(target(), { claims }))).toMatchObject(unauthorized);
    }
  });

  test("replayed", async () => {
    const proof = await holder.prove(target());
    expect((await read(proof)).status).toBe(200);
    expect(await read(proof)).toMatchObject(unauthorized);
    expect(on.lastRefusal().code).toBe("proof_replayed");
  });

  test("old by 31 s", async () => {
    expect(await read(await holder.prove({ ...target(), now: on.now() - 31_000 }))).toMatchObject(
      unauthorized,
    );
  });

  test("a stolen access token with another key", async () => {
    const thief = await Holder.create();
    const proof = await thief.prove(target());
    expect(await read(proof)).toMatchObject({ status: 401, body: { error: "invalid_token" } });
  });

  test("an access token that somebody else signed", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    const keys = (await (await fetch(`${on.url}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[];
    };
    const [, payload = ""] = holder.accessToken.split(".");
    const forged = await new SignJWT(JSON.parse(Buffer.from(payload, "base64url").toString()))
      .setProtectedHeader({ typ: "at+jwt", alg: "ES256", kid: keys.keys[0]?.kid ?? "" })
      .sign(privateKey);
    const proof = await holder.prove({ ...target(), accessToken: forged });
    expect(await read(proof, forged)).toMatchObject({ status: 401, body: { error: "invalid_token" } });
  });

  test("token in the query, alone and besides the header", async () => {
    const query = `/session?access_token=${holder.accessToken}`;
    expect((await fetch(`${on.url}${query}`)).status).toBe(400);
    expect(await call(on, holder, `GET ${query}`)).toMatchObject({
      status: 400,
      body: { error: "invalid_request" },
    });
  });

  test("two authentications at once", async () => {
    const sent = httpRequest(`${on.url}/session`);
    sent.setHeader("Authorization", [`DPoP ${holder.accessToken}`, "Basic eDp5"]);
    sent.setHeader("DPoP", await holder.prove(target()));
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(400);
  });

  test("a subject token as access token", async () => {
    const subjectToken = await on.subjectToken(job);
    expect(
      await read(await holder.prove({ ...target(), accessToken: subjectToken }), subjectToken),
    ).toMatchObject(unauthorized);
  });
});

test("the access token is one of RFC 9068, bound to the key, with the job as the actor", async () => {
  const [header = "", payload = ""] = holder.accessToken.split(".");
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({
    typ: "at+jwt",
    alg: "ES256",
    kid: expect.any(String),
  });
  const actor = { repository_id: "456789", run_id: job.run_id, run_attempt: "1", check_run_id: "5001" };
  const now = Math.floor(on.now() / 1000);
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  expect(claims).toEqual({
    // The required ones, section 2.2.
    iss: on.url,
    exp: expect.any(Number),
    aud: on.url,
    sub: "acme/payments/triager",
    client_id: holder.thumbprint,
    iat: expect.any(Number),
    jti: expect.any(String),
    scope: "robot:acme/payments/triager role:reader role:writer",
    sid: expect.stringMatching(/^ses_[0-9a-f]{32}$/),
    cnf: { jkt: holder.thumbprint },
    act: {
      iss: on.issuer.url,
      sub: `repository_id:456789:run_id:${job.run_id}:run_attempt:1:check_run_id:5001`,
      ...actor,
    },
  });
  expect(Math.abs(claims.iat - now)).toBeLessThanOrEqual(2);
  expect(claims.exp - claims.iat).toBeCloseTo(15 * 60, -1);
});

describe("renewal", () => {
  const renew = async (subjectToken: string) =>
    call(on, holder, "POST /session/renew", { subject_token: subjectToken });

  test("the same job keeps its session, up to the robot's maximum", async () => {
    for (let minutes = 10; minutes < 120; minutes += 10) {
      on.advance(10 * MINUTE);
      const answer = await renew(await on.subjectToken(job));
      expect(answer.status).toBe(200);
      expect(answer.body.expires_in).toBeGreaterThan(Math.min(15, 120 - minutes) * 60 - 5);
      expect(answer.body.expires_in).toBeLessThanOrEqual(Math.min(15, 120 - minutes) * 60);
      holder.accessToken = answer.body.access_token;
    }
    on.advance(10 * MINUTE);
    expect((await renew(await on.subjectToken(job))).status).toBe(401);
    expect(await exchange(on, holder, { subjectToken: await on.subjectToken(job) })).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
  });

  test("a token of another job, of an earlier attempt, of another run", async () => {
    for (const overrides of [{ check_run_id: "1" }, { run_attempt: "0" }, { run_id: "1" }]) {
      expect(await renew(await on.subjectToken({ ...job, ...overrides }))).toMatchObject({
        status: 403,
        body: { error: "invalid_grant" },
      });
    }
  });

  test("the same subject token twice", async () => {
    const subjectToken = await on.subjectToken(job);
    expect((await renew(subjectToken)).status).toBe(200);
    expect((await renew(subjectToken)).status).toBe(400);
    expect(on.lastRefusal().code).toBe("subject_token_replayed");
  });

  test("a subject token that the binding does not match any more", async () => {
    expect(await renew(await on.subjectToken({ ...job, event_name: "push" }))).toMatchObject({ status: 400 });
    expect(on.lastRefusal().code).toBe("robot_refused");
  });

  test("an expired session is not renewed; the exchange with the same key finds it again", async () => {
    const { body: before } = await call(on, holder, "GET /session");
    on.advance(16 * MINUTE);
    await on.broker.sweep();
    expect((await renew(await on.subjectToken(job))).status).toBe(401);
    expect((await exchange(on, holder, { subjectToken: await on.subjectToken(job) })).status).toBe(200);
    expect((await call(on, holder, "GET /session")).body.session).toBe(before.session);
  });
});

describe("the end", () => {
  test("a revoked session grants nothing: not reading, not renewing, not even delivering", async () => {
    const log = new LogWriter(() => on.now());
    const segment = await log.segment([note("one")]);
    expect((await call(on, holder, "DELETE /session")).status).toBe(204);
    expect((await call(on, holder, "DELETE /session")).status).toBe(204);
    const over = await call(on, holder, "GET /session");
    expect(over).toMatchObject({ status: 401, body: { error: "session_over" } });
    expect(over.headers.get("www-authenticate")).toContain('DPoP error="invalid_token"');
    expect(
      (await call(on, holder, "POST /session/renew", { subject_token: await on.subjectToken(job) })).status,
    ).toBe(401);
    expect((await announce(on, holder, segment)).status).toBe(401);
    expect(
      (await call(on, holder, "POST /session/seal", { segments: 1, last_seq: 0, head: "0".repeat(64) }))
        .status,
    ).toBe(401);
  });

  test("an expired token still delivers segments and seals, for a day, and nothing else", async () => {
    const log = new LogWriter(() => on.now());
    const [one, two] = [await log.segment([note("one")]), await log.segment([note("two")])];
    on.advance(16 * MINUTE);
    await on.broker.sweep();
    expect((await call(on, holder, "GET /session")).status).toBe(401);
    expect((await call(on, holder, "DELETE /session")).status).toBe(401);
    expect((await announce(on, holder, one)).status).toBe(200);
    on.advance(24 * 60 * MINUTE);
    expect((await announce(on, holder, two)).status).toBe(401);
  });
});

describe("the body", () => {
  test.each([
    ["POST /session/renew", {}],
    ["POST /session/renew", { subject_token: "x", more: 1 }],
    ["POST /session/segments", { segment: 0 }],
    ["POST /session/seal", { segments: 1 }],
    ["POST /session/seal", []],
  ])("%s %j is not of the contract", async (endpoint, content) => {
    expect(await call(on, holder, endpoint, content)).toMatchObject({
      status: 400,
      body: { error: "invalid_request" },
    });
  });

  test("form-encoded where JSON is expected, and too large", async () => {
    const proof = await holder.prove(target("/session/renew", "POST"));
    const headers = { authorization: `DPoP ${holder.accessToken}`, dpop: proof };
    const form = await fetch(`${on.url}/session/renew`, {
      method: "POST",
      headers,
      body: new URLSearchParams({ subject_token: "x" }),
    });
    expect(form.status).toBe(415);
    expect(
      (await call(on, holder, "POST /session/renew", { subject_token: "x".repeat(70_000) })).status,
    ).toBe(413);
  });
});

test("published keys hold no private member", async () => {
  for (const path of ["/.well-known/jwks.json", "/.well-known/checkpoint-keys.json"]) {
    const { keys } = (await (await fetch(`${on.url}${path}`)).json()) as { keys: object[] };
    expect(keys).toHaveLength(1);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(expect.not.arrayContaining(["d"]));
  }
});
