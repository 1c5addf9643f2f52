/** The JWT bearer grant (RFC 7523), as workload identity federation in MCP has it: the same exchange in other words. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { Holder, call, exchange } from "../../support/session-holder.ts";

let on: TestBroker;
let holder: Holder;
let job: { run_id: string };
let jobs = 4000;

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

const asAssertion = (assertion: string, form: Record<string, string | undefined> = {}) => ({
  subjectToken: assertion,
  form: {
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion,
    subject_token: undefined,
    subject_token_type: undefined,
    ...form,
  },
});

test("an assertion gives the same session as a token exchange, and the answer of RFC 6749", async () => {
  const answer = await exchange(on, holder, asAssertion(await on.subjectToken(job)));
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    access_token: expect.any(String),
    token_type: "DPoP",
    expires_in: expect.closeTo(15 * 60, -1),
    scope: "robot:acme/payments/triager role:reader role:writer",
  });
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("pragma")).toBe("no-cache");
  const first = await call(on, holder, "GET /session");
  const exchanged = await exchange(on, holder, { subjectToken: await on.subjectToken(job) });
  expect(exchanged.body.issued_token_type).toBe("urn:ietf:params:oauth:token-type:access_token");
  expect((await call(on, holder, "GET /session")).body.session).toBe(first.body.session);
});

describe("what is wrong with an assertion is an invalid_grant", () => {
  const second = (offset: number): number => Math.floor(on.now() / 1000) + offset;
  test.each([
    ["the default audience", () => ({ aud: "https://github.com/acme" })],
    ["expired by a second", () => ({ exp: second(-1), iat: second(-300) })],
    ["nbf in the future", () => ({ nbf: second(120) })],
    ["an issuer that is not configured", () => ({ iss: "https://attacker.example" })],
    ["no run_id", () => ({ run_id: undefined })],
    ["a workflow that no binding names", () => ({ event_name: "issue_comment" })],
  ])("%s", async (_name, overrides) => {
    const assertion = await on.subjectToken({ ...job, ...overrides() });
    expect(await exchange(on, holder, asAssertion(assertion))).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    expect(
      await exchange(on, holder, { subjectToken: await on.subjectToken({ ...job, ...overrides() }) }),
    ).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  test("rubbish, another signature, and the same jti twice", async () => {
    const good = await on.subjectToken(job);
    const other = await on.subjectToken({ ...job, actor: "mallory" });
    const forged = [...good.split(".").slice(0, 2), other.split(".")[2]].join(".");
    for (const assertion of ["rubbish", forged]) {
      expect(await exchange(on, holder, asAssertion(assertion))).toMatchObject({
        status: 400,
        body: { error: "invalid_grant" },
      });
    }
    expect((await exchange(on, holder, asAssertion(good))).status).toBe(200);
    expect(await exchange(on, holder, asAssertion(good))).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
  });
});

test("one token by both grants: accepted once", async () => {
  const subjectToken = await on.subjectToken(job);
  expect((await exchange(on, holder, asAssertion(subjectToken))).status).toBe(200);
  expect(await exchange(on, holder, { subjectToken })).toMatchObject({ status: 400 });
  expect(on.lastRefusal().code).toBe("subject_token_replayed");
});

test("errors of the request itself are the same by both grants", async () => {
  const token = await on.subjectToken(job);
  const wrong = [
    [asAssertion(token, { assertion: undefined }), "invalid_request"],
    [asAssertion(token, { resource: undefined }), "invalid_target"],
    [asAssertion(token, { resource: "https://other.example" }), "invalid_target"],
    [asAssertion(token, { scope: "admin" }), "invalid_scope"],
    [{ ...asAssertion(token), proof: null }, "invalid_dpop_proof"],
  ] as const;
  for (const [request, error] of wrong) {
    expect(await exchange(on, holder, request)).toMatchObject({ status: 400, body: { error } });
  }
  expect((await exchange(on, holder, asAssertion(token))).status).toBe(200);
});

test.each(["subject_token", "subject_token_type", "requested_token_type", "actor_token"])(
  "a request in both dialects: %s besides the assertion",
  async (name) => {
    const assertion = await on.subjectToken(job);
    expect(await exchange(on, holder, asAssertion(assertion, { [name]: "x" }))).toMatchObject({
      status: 400,
      body: { error: "invalid_request" },
    });
  },
);

test("a second exchange by the same job without the key, by the other grant", async () => {
  expect((await exchange(on, holder, { subjectToken: await on.subjectToken(job) })).status).toBe(200);
  const intruder = await Holder.create();
  const answer = await exchange(on, intruder, asAssertion(await on.subjectToken(job)));
  expect(answer).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  expect(on.lastRefusal().code).toBe("workload_taken");
});
