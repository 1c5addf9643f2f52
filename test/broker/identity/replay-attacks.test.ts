/** That a subject token is good once, whoever shows it where: every attack is made at a listening broker, over HTTP. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningBroker, startBroker } from "../../../broker/server.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type TestBroker, claimsOfJob } from "../../support/broker.ts";
import { startScriptedIssuer } from "../../support/scripted-issuer.ts";
import { Holder, exchange, readAnswer } from "../../support/session-holder.ts";
import { attempt, newJob, startTarget } from "./attempts.ts";

let on: TestBroker;
beforeAll(async () => {
  on = await startTarget();
});
afterAll(async () => {
  await on.close();
});

describe("jti", () => {
  test("the same jti twice: in the same token", async () => {
    const token = await on.subjectToken(newJob());
    const holder = await Holder.create();
    expect((await attempt(on, token, { holder })).code).toBe("accepted");
    expect((await attempt(on, token, { holder })).code).toBe("subject_token_replayed");
    expect((await attempt(on, token)).code).toBe("subject_token_replayed");
  });

  test("the same jti twice: in a second token, of another job", async () => {
    const jti = randomUUID();
    expect((await attempt(on, await on.subjectToken({ ...newJob(), jti }))).code).toBe("accepted");
    expect((await attempt(on, await on.subjectToken({ ...newJob(), jti }))).code).toBe(
      "subject_token_replayed",
    );
  });

  test.each([
    [undefined],
    [null],
    [""],
    [1],
    [["a"]],
    [{}],
    ["a\u0000b"],
    ["a\nb"],
    [" "],
    ["ü"],
    ["\ud800"],
    ["x".repeat(257)],
  ])("no jti, or one that is none: %j", async (jti) => {
    const { code, detail } = await attempt(on, await on.subjectToken({ ...newJob(), jti }));
    expect([code, detail]).toEqual(["claims_missing", expect.stringContaining("jti")]);
  });

  test.each(["__proto__", "constructor", "'or(1=1)--", "%00"])(
    "a jti that means something to a program is a jti: %s",
    async (jti) => {
      expect((await attempt(on, await on.subjectToken({ ...newJob(), jti }))).code).toBe("accepted");
      expect((await attempt(on, await on.subjectToken({ ...newJob(), jti }))).code).toBe(
        "subject_token_replayed",
      );
    },
  );

  test("the same jti in another case is another one", async () => {
    const jti = `Case-${randomUUID()}`;
    expect((await attempt(on, await on.subjectToken({ ...newJob(), jti }))).code).toBe("accepted");
    const token = await on.subjectToken({ ...newJob(), jti: jti.toUpperCase() });
    expect((await attempt(on, token)).code).toBe("accepted");
  });

  test("the same jti from another issuer does not burn", async () => {
    const second = await startScriptedIssuer();
    const both = await startTarget({ config: (url) => ({ issuers: [url, second.url] }) });
    const jti = randomUUID();
    const claims = { ...claimsOfJob(second.url, both.url, both.now()), ...newJob(), jti };
    expect((await attempt(both, await second.sign(claims))).code).toBe("robot_refused");
    expect((await attempt(both, await both.subjectToken({ ...newJob(), jti }))).code).toBe("accepted");
    expect((await attempt(both, await second.sign(claims))).code).toBe("subject_token_replayed");
    await both.close();
    await second.close();
  });

  test("a jti burns only by a token that verifies", async () => {
    const jti = randomUUID();
    for (const overrides of [
      { aud: "pypi" },
      { exp: 1, iat: 0, nbf: 0 },
      { iss: "https://attacker.example" },
      { ref: "" },
    ]) {
      const { code } = await attempt(on, await on.subjectToken({ ...newJob(), jti, ...overrides }));
      expect(code).not.toMatch(/accepted|replayed/);
    }
    const honest = await on.subjectToken({ ...newJob(), jti });
    expect((await attempt(on, `${honest.slice(0, -6)}AAAAAA`)).code).toMatch(/signature_invalid|malformed/);
    expect((await attempt(on, honest)).code).toBe("accepted");
  });

  test("a jti burns only after the proof was checked", async () => {
    const token = await on.subjectToken(newJob());
    const holder = await Holder.create();
    const url = `${on.url}/token`;
    const stale = { claims: { iat: Math.floor(on.now() / 1000) - 60 } };
    for (const proof of [
      null,
      "x",
      await holder.prove({ method: "GET", url, now: on.now() }),
      await holder.prove({ method: "POST", url: `${url}/x`, now: on.now() }),
      await holder.prove({ method: "POST", url, now: on.now() }, stale),
    ]) {
      expect((await attempt(on, token, { holder, proof })).code).toBe("proof_invalid");
    }
    expect((await attempt(on, token, { holder })).code).toBe("accepted");
  });

  test("a proof that was seen before burns nothing", async () => {
    const holder = await Holder.create();
    const proof = await holder.prove({ method: "POST", url: `${on.url}/token`, now: on.now() });
    expect((await attempt(on, await on.subjectToken(newJob()), { holder, proof })).code).toBe("accepted");
    const token = await on.subjectToken(newJob());
    expect((await attempt(on, token, { holder, proof })).code).toBe("proof_replayed");
    expect((await attempt(on, token)).code).toBe("accepted");
  });

  test("one token tried on a hundred robots: burned at the first", async () => {
    const token = await on.subjectToken(newJob());
    expect((await attempt(on, token, { robot: "robot-0" })).code).toBe("robot_refused");
    for (let count = 1; count < 100; count += 1) {
      expect((await attempt(on, token, { robot: `robot-${count}` })).code).toBe("subject_token_replayed");
    }
    expect((await attempt(on, token)).code).toBe("subject_token_replayed");
  });
});

describe("two replicas", () => {
  let replica: RunningBroker;
  beforeAll(async () => {
    const log = { level: "info" as const, write: (line: string) => void on.logged.push(JSON.parse(line)) };
    replica = await startBroker({ config: { ...on.config, publicUrl: on.url }, now: on.now, log });
  });
  afterAll(async () => {
    await replica.close();
  });
  const exchangeAt = async (port: number, subjectToken: string, holder: Holder) => {
    const body = new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: subjectToken,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      resource: on.url,
      scope: "robot:acme/payments/triager",
    });
    const dpop = await holder.prove({ method: "POST", url: `${on.url}/token`, now: on.now() });
    return readAnswer(
      await fetch(`http://127.0.0.1:${port}/token`, { method: "POST", body, headers: { dpop } }),
    );
  };
  const portOf = (index: number): number => (index % 2 === 0 ? on.broker : replica).address.port;

  test("fifty at once on two replicas: exactly one wins", async () => {
    const token = await on.subjectToken(newJob());
    const holder = await Holder.create();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => exchangeAt(portOf(index), token, holder)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === "invalid_request")).toHaveLength(49);
  });

  test("fifty keys at once on two replicas, each with a token of its own of one job: exactly one wins", async () => {
    const job = newJob();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        exchangeAt(portOf(index), await on.subjectToken(job), await Holder.create()),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === "invalid_grant")).toHaveLength(49);
  });

  test("a token that was used on one is used on the other", async () => {
    const token = await on.subjectToken(newJob());
    const holder = await Holder.create();
    expect((await exchangeAt(portOf(0), token, holder)).status).toBe(200);
    expect((await exchangeAt(portOf(1), token, holder)).status).toBe(400);
  });
});

describe("the job", () => {
  test("a lost answer: the exchange repeated with a fresh token and the same key finds the same session", async () => {
    const job = newJob();
    const holder = await Holder.create();
    const session = (accessToken: string): string =>
      JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()).sid;
    const first = await attempt(on, await on.subjectToken(job), { holder });
    const second = await attempt(on, await on.subjectToken(job), { holder });
    expect(session(second.body.access_token)).toBe(session(first.body.access_token));
  });

  test("a token of an earlier attempt: it belongs to that attempt's key", async () => {
    const job = newJob();
    expect((await attempt(on, await on.subjectToken(job))).code).toBe("accepted");
    const earlier = await on.subjectToken(job);
    const retry = await Holder.create();
    expect(
      (await attempt(on, await on.subjectToken({ ...job, run_attempt: "2" }), { holder: retry })).code,
    ).toBe("accepted");
    expect((await attempt(on, earlier, { holder: retry })).code).toBe("workload_taken");
  });

  test("a token of an earlier attempt: of a job that never asked, with a key of its own", async () => {
    const job = newJob();
    const earlier = await on.subjectToken(job);
    expect((await attempt(on, await on.subjectToken({ ...job, run_attempt: "2" }))).code).toBe("accepted");
    expect((await attempt(on, earlier)).code).toBe("attempt_over");
  });
});

test("the store down: refused, and nothing is burned", async () => {
  const target = await startTarget();
  const token = await target.subjectToken(newJob());
  const database = await openDatabase(target.config.database);
  await database.schema.alterTable("used_tokens").renameTo("lost_tokens").execute();
  const { status, body } = await exchange(target, await Holder.create(), { subjectToken: token });
  expect(status).toBeGreaterThanOrEqual(500);
  expect(body).not.toHaveProperty("access_token");
  await database.schema.alterTable("lost_tokens").renameTo("used_tokens").execute();
  await database.destroy();
  expect((await attempt(target, token)).code).toBe("accepted");
  await target.close();
});
