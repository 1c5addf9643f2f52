/** `POST /introspect`: RFC 7662, for operators only. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { OperatorAccounts } from "../../../broker/operators/accounts.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { type Answer, Holder, call, exchange, readAnswer } from "../../support/session-holder.ts";

let on: TestBroker;
let operator: string;
let holder: Holder;
let job: { run_id: string };
let jobs = 5500;

beforeAll(async () => {
  on = await startTestBroker();
  const database = await openDatabase(on.config.database);
  const added = await new OperatorAccounts(database, on.now).add("gateway");
  if (!added.ok) throw new Error(added.message);
  operator = added.token;
  await database.destroy();
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

async function introspect(
  token: string,
  authorization: string | null = `Bearer ${operator}`,
  body = new URLSearchParams({ token }).toString(),
): Promise<Answer> {
  return readAnswer(
    await fetch(`${on.url}/introspect`, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        ...(authorization === null ? {} : { authorization }),
      },
      body,
    }),
  );
}

test("an active token: what it says, in the names of the RFCs", async () => {
  const answer = await introspect(holder.accessToken);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.body).toEqual({
    active: true,
    token_type: "DPoP",
    iss: on.url,
    aud: on.url,
    sub: "acme/payments/triager",
    client_id: holder.thumbprint,
    scope: "robot:acme/payments/triager role:reader role:writer",
    sid: expect.stringMatching(/^ses_/),
    jti: expect.any(String),
    iat: expect.any(Number),
    exp: expect.any(Number),
    act: expect.objectContaining({ repository_id: "456789", run_id: job.run_id }),
    cnf: { jkt: holder.thumbprint },
  });
});

test("introspection without authentication says nothing of any token", async () => {
  const answers = [];
  for (const token of [holder.accessToken, "x"]) {
    const answer = await introspect(token, null);
    expect(answer).toMatchObject({ status: 401, body: { error: "invalid_token" } });
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    answers.push({ ...answer.body, reference: "" });
  }
  expect(answers[0]).toEqual(answers[1]);
});

test("with a wrong operator's token, a session's token, or the scheme of another", async () => {
  for (const authorization of [`Bearer lop_${"x".repeat(43)}`, `Bearer ${holder.accessToken}`, "Bearer x"]) {
    const answer = await introspect(holder.accessToken, authorization);
    expect(answer).toMatchObject({ status: 401, body: { error: "invalid_token" } });
    expect(answer.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
  }
  for (const authorization of [`DPoP ${holder.accessToken}`, "Basic eDp5"]) {
    expect((await introspect(holder.accessToken, authorization)).status).toBe(401);
  }
});

test("whatever is not active is active: false and nothing else", async () => {
  const { holder: gone, token: subjectToken } = {
    holder: await Holder.create(),
    token: await on.subjectToken({ run_id: "5499" }),
  };
  await exchange(on, gone, { subjectToken });
  expect((await introspect(gone.accessToken)).body.active).toBe(true);
  expect((await call(on, gone, "DELETE /session")).status).toBe(204);
  const [head, payload] = holder.accessToken.split(".");
  const forged = [head, payload, gone.accessToken.split(".")[2]].join(".");
  for (const token of ["x", "a.b.c", subjectToken, operator, forged, gone.accessToken]) {
    expect(await introspect(token)).toMatchObject({ status: 200, body: { active: false } });
    expect(Object.keys((await introspect(token)).body)).toEqual(["active"]);
  }
  on.advance(16 * 60_000);
  expect((await introspect(holder.accessToken)).body).toEqual({ active: false });
});

test("a token that runs out later than its session, which was cut short", async () => {
  const { body: document } = await call(on, holder, "GET /session");
  const database = await openDatabase(on.config.database);
  await database
    .updateTable("sessions")
    .set({ expires_at: on.now() })
    .where("id", "=", String(document.session))
    .execute();
  await database.destroy();
  expect((await introspect(holder.accessToken)).body).toEqual({ active: false });
});

test("no token, two tokens, the token in the query, two authentications at once", async () => {
  const bearer = `Bearer ${operator}`;
  const token = encodeURIComponent(holder.accessToken);
  for (const body of ["", `token=${token}&token=${token}`, `token=${token}&client_secret=x`]) {
    expect(await introspect("", bearer, body)).toMatchObject({
      status: 400,
      body: { error: "invalid_request" },
    });
  }
  const query = await fetch(`${on.url}/introspect?token=${token}`, {
    method: "POST",
    headers: { authorization: bearer },
  });
  expect(query.status).toBe(400);
});

test("guesses of operators' tokens are bounded", async () => {
  const mine = await startTestBroker();
  const statuses = [];
  for (let count = 0; count < 12; count += 1) {
    const response = await fetch(`${mine.url}/introspect`, {
      method: "POST",
      headers: { authorization: `Bearer lop_${String(count).padEnd(43, "x")}` },
      body: new URLSearchParams({ token: "x" }),
    });
    statuses.push([response.status, response.headers.get("retry-after") !== null]);
  }
  await mine.close();
  expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => [401, false]));
  expect(statuses.slice(10)).toEqual([
    [429, true],
    [429, true],
  ]);
});
