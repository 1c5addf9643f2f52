/** `POST /revoke`: RFC 7009, authenticated by the key of the session. */
import Fastify from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { registerOAuthRoutes } from "../../../broker/routes/oauth-routes.ts";
import { openReplica } from "../sessions/second-replica.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { type Answer, Holder, call, exchange, readAnswer } from "../../support/session-holder.ts";

let on: TestBroker;
let holder: Holder;
let job: { run_id: string };
let jobs = 5000;

beforeAll(async () => {
  on = await startTestBroker();
});
afterAll(async () => {
  await on.close();
});
const open = async (): Promise<{ holder: Holder; job: { run_id: string } }> => {
  jobs += 1;
  const opened = { holder: await Holder.create(), job: { run_id: String(jobs) } };
  const answer = await exchange(on, opened.holder, { subjectToken: await on.subjectToken(opened.job) });
  expect(answer.status).toBe(200);
  return opened;
};
beforeEach(async () => {
  ({ holder, job } = await open());
});

interface Overrides {
  readonly proof?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function revoke(who: Holder, token: string, overrides: Overrides = {}): Promise<Answer> {
  const url = `${on.url}/revoke`;
  const proof =
    overrides.proof === undefined ? await who.prove({ method: "POST", url, now: on.now() }) : overrides.proof;
  return readAnswer(
    await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        ...(proof === null ? {} : { dpop: proof }),
        ...overrides.headers,
      },
      body: overrides.body ?? new URLSearchParams({ token }).toString(),
    }),
  );
}

/** Everything of an answer but what differs from request to request. */
const outside = ({ status, headers, body }: Answer) => ({
  status,
  body: body as unknown,
  headers: [...headers].filter(([name]) => name !== "date"),
});
const isAlive = async (who: Holder): Promise<boolean> => (await call(on, who, "GET /session")).status === 200;

test("the session ends, for good, and with it every token that was issued for it", async () => {
  const first = holder.accessToken;
  const renewal = { subject_token: await on.subjectToken(job) };
  const second = (await call(on, holder, "POST /session/renew", renewal)).body.access_token as string;
  const answer = await revoke(holder, first);
  expect(answer).toMatchObject({ status: 200, body: "" });
  expect(answer.headers.get("cache-control")).toBe("no-store");
  for (const accessToken of [first, second]) {
    expect((await call(on, holder, "GET /session", undefined, { accessToken })).status).toBe(401);
  }
  await exchange(on, holder, { subjectToken: await on.subjectToken(job) });
  expect(on.lastRefusal().code).toBe("session_ended");
});

test("revoke twice: 200 both times", async () => {
  expect((await revoke(holder, holder.accessToken)).status).toBe(200);
  expect((await revoke(holder, holder.accessToken)).status).toBe(200);
});

test("revoke an unknown token: 200", async () => {
  for (const token of ["x", "a.b.c", "x".repeat(10_000), await on.subjectToken(job)]) {
    expect((await revoke(holder, token)).status).toBe(200);
  }
  expect(await isAlive(holder)).toBe(true);
});

test("revoke somebody else's: not revoked, and not told apart from an unknown or a revoked one", async () => {
  const { holder: other } = await open();
  const foreign = outside(await revoke(holder, other.accessToken));
  const unknown = outside(await revoke(holder, "x"));
  const own = outside(await revoke(holder, holder.accessToken));
  const revoked = outside(await revoke(holder, holder.accessToken));
  expect(foreign.status).toBe(200);
  for (const answer of [unknown, own, revoked]) expect(answer).toEqual(foreign);
  expect(await isAlive(other)).toBe(true);
  expect(await isAlive(holder)).toBe(false);
});

test("a token of the session that ran out, and one with a changed signature", async () => {
  const [head, payload] = holder.accessToken.split(".");
  const { holder: other } = await open();
  const forged = [head, payload, other.accessToken.split(".")[2]].join(".");
  expect((await revoke(holder, forged)).status).toBe(200);
  expect(await isAlive(holder)).toBe(true);
  const before = holder.accessToken;
  const renewal = { subject_token: await on.subjectToken(job) };
  on.advance(10 * 60_000);
  renewal.subject_token = await on.subjectToken(job);
  holder.accessToken = (await call(on, holder, "POST /session/renew", renewal)).body.access_token as string;
  on.advance(6 * 60_000);
  expect(await isAlive(holder)).toBe(true);
  expect((await revoke(holder, before)).status).toBe(200);
  expect(await isAlive(holder)).toBe(false);
});

test("the token's type is a hint, whatever it says", async () => {
  const body = new URLSearchParams({ token: holder.accessToken, token_type_hint: "refresh_token" });
  expect((await revoke(holder, "", { body: body.toString() })).status).toBe(200);
  expect(await isAlive(holder)).toBe(false);
});

describe("a request that is none leaves the session alone", () => {
  test("no proof, one for another endpoint, one with an ath, an old one", async () => {
    const target = { method: "POST", url: `${on.url}/revoke`, now: on.now() };
    for (const proof of [
      null,
      await holder.prove({ ...target, url: `${on.url}/token` }),
      await holder.prove({ ...target, accessToken: holder.accessToken }),
      await holder.prove({ ...target, now: on.now() - 60_000 }),
    ]) {
      expect(await revoke(holder, holder.accessToken, { proof })).toMatchObject({
        status: 400,
        body: { error: "invalid_dpop_proof" },
      });
    }
    expect(await isAlive(holder)).toBe(true);
  });

  test("a replayed proof, with the token of another session of the same key", async () => {
    const target = { method: "POST", url: `${on.url}/revoke`, now: on.now() };
    const proof = await holder.prove(target);
    expect((await revoke(holder, holder.accessToken, { proof })).status).toBe(200);
    const subjectToken = await on.subjectToken({ ...job, check_run_id: "5002" });
    expect((await exchange(on, holder, { subjectToken })).status).toBe(200);
    expect(await revoke(holder, holder.accessToken, { proof })).toMatchObject({
      status: 400,
      body: { error: "invalid_dpop_proof" },
    });
    expect(on.lastRefusal().code).toBe("proof_replayed");
    expect(await isAlive(holder)).toBe(true);
  });

  test("a flood of proofs by strangers: none of them is remembered", async () => {
    const replica = await openReplica(on);
    const app = Fastify();
    const remembered: string[] = [];
    const recentProofs = {
      remember: (proof: { jti: string }) => void remembered.push(proof.jti),
    };
    await registerOAuthRoutes(app, { ...replica.services, recentProofs });
    const send = async (who: Holder, token: string): Promise<number> => {
      const dpop = await who.prove({ method: "POST", url: `${on.url}/revoke`, now: on.now() });
      const headers = { dpop, "content-type": "application/x-www-form-urlencoded" };
      const payload = `token=${token}`;
      return (await app.inject({ method: "POST", url: "/revoke", headers, payload })).statusCode;
    };
    const stranger = await Holder.create();
    for (const token of ["x", holder.accessToken]) expect(await send(stranger, token)).toBe(200);
    expect(remembered).toEqual([]);
    expect(await send(holder, holder.accessToken)).toBe(200);
    expect(remembered).toHaveLength(1);
    await app.close();
    await replica.close();
  });

  test("no token, two tokens, a JSON body, the token in the query", async () => {
    const token = encodeURIComponent(holder.accessToken);
    for (const body of ["", "token=", `token=${token}&token=${token}`, `token=${token}&x=1&x=2`]) {
      expect(await revoke(holder, "", { body })).toMatchObject({
        status: 400,
        body: { error: "invalid_request" },
      });
    }
    const json = { "content-type": "application/json" };
    expect(await revoke(holder, "", { headers: json, body: "{}" })).toMatchObject({ status: 415 });
    const url = `${on.url}/revoke?token=${token}`;
    const dpop = await holder.prove({ method: "POST", url: `${on.url}/revoke`, now: on.now() });
    expect((await fetch(url, { method: "POST", headers: { dpop } })).status).toBe(400);
    expect(await isAlive(holder)).toBe(true);
  });

  test("two authentications at once", async () => {
    const headers = { authorization: `DPoP ${holder.accessToken}` };
    const answer = await revoke(holder, holder.accessToken, { headers });
    expect(answer).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    expect(answer.headers.get("www-authenticate")).toBe('DPoP realm="lanyard"');
    expect(await isAlive(holder)).toBe(true);
  });
});
