/** Attacks on the token endpoint, over HTTP: what is asked for, how often, and by whom. */
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findSession } from "../../../broker/storage/sessions/sessions.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { Holder, call, exchange } from "../../support/session-holder.ts";

let on: TestBroker;
let holder: Holder;
/** Every test is a job of its own. */
let job: { run_id: string };
let jobs = 2000;

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

describe("the form, as bytes", () => {
  const post = async (body: string, contentType = "application/x-www-form-urlencoded") => {
    const url = `${on.url}/token`;
    const dpop = await holder.prove({ method: "POST", url, now: on.now() });
    const answer = await fetch(url, { method: "POST", body, headers: { dpop, "content-type": contentType } });
    return { status: answer.status, body: await answer.json() };
  };
  const form = async (subjectToken?: string): Promise<string> =>
    new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: subjectToken ?? (await token()),
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      resource: on.url,
      scope: "robot:acme/payments/triager",
    }).toString();

  test.each<[string, (body: string) => string]>([
    ["a question mark in front, which another reader takes for a part of the name", (body) => `?${body}`],
    ["a byte order mark", (body) => `\ufeff${body}`],
    ["a NUL in a value", (body) => body.replace("triager", "triager%00")],
    ["a NUL in a name", (body) => body.replace("resource", "resource%00")],
    ["a name written in two ways", (body) => `${body}&gr%61nt_type=x`],
    ["a plus sign where a percent sign would be", (body) => body.replace("token-exchange", "token+exchange")],
    ["bytes that are not UTF-8", (body) => body.replace("triager", "triager%ff")],
    ["another object's name", (body) => body.replace("grant_type", "__proto__")],
  ])("%s: refused", async (_what, change) => {
    expect((await post(change(await form()))).status).toBe(400);
  });

  test("a charset in the media type changes nothing of how the bytes are read", async () => {
    const answer = await post(await form(), "application/x-www-form-urlencoded; charset=utf-16");
    expect(answer.status).toBe(200);
  });
});

describe("the scope", () => {
  const ask = async (scope: string | undefined) =>
    exchange(on, holder, { subjectToken: await token(), form: { scope } });

  test.each([
    "robot:../../etc",
    "robot:acme/payments/..",
    "robot:acme/payments",
    "robot:acme/payments/a/b",
    "robot:acme/payments/triager robot:acme/payments/sleeper",
    "role:",
    "admin",
    "robot:acme/payments/triager  role:reader",
    "x".repeat(3000),
    "robot:acme/payments/%2e%2e",
  ])("that is none: %s", async (scope) => {
    expect(await ask(scope)).toMatchObject({ status: 400, body: { error: "invalid_scope" } });
  });

  test("fewer roles are given when fewer are asked for", async () => {
    expect((await ask("robot:acme/payments/triager role:reader")).body.scope).toBe(
      "robot:acme/payments/triager role:reader",
    );
    const { body } = await call(on, holder, "GET /session");
    expect(body.roles).toEqual(["reader"]);
    expect(Object.keys(body.servers)).toEqual(["everything"]);
  });

  test("more scope than bound", async () => {
    expect(await ask("robot:acme/payments/triager role:unused")).toMatchObject({
      status: 400,
      body: { error: "invalid_request" },
    });
    expect(on.lastRefusal()).toMatchObject({ code: "robot_refused" });
    expect(on.lastRefusal().detail).toContain("role_not_bound");
  });

  test("the repository has two robots, none is named", async () => {
    expect(await ask(undefined)).toMatchObject({ status: 400 });
    expect(on.lastRefusal().detail).toContain("robot_unnamed");
  });
});

describe("once", () => {
  test("the same jti twice", async () => {
    const subjectToken = await token();
    expect((await exchange(on, holder, { subjectToken })).status).toBe(200);
    expect(await exchange(on, holder, { subjectToken })).toMatchObject({
      status: 400,
      body: { error: "invalid_request" },
    });
    expect(on.lastRefusal().code).toBe("subject_token_replayed");
  });

  test("the same jti in a second token", async () => {
    const jti = randomUUID();
    expect((await exchange(on, holder, { subjectToken: await token({ jti }) })).status).toBe(200);
    await exchange(on, holder, { subjectToken: await token({ jti }) });
    expect(on.lastRefusal().code).toBe("subject_token_replayed");
  });

  test("fifty at once: exactly one wins", async () => {
    const subjectToken = await token();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => exchange(on, holder, { subjectToken })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("one token tried on a hundred robots: burned at the first", async () => {
    const subjectToken = await token();
    await exchange(on, holder, { subjectToken, form: { scope: "robot:acme/payments/nobody" } });
    expect(on.lastRefusal().code).toBe("robot_refused");
    await exchange(on, holder, { subjectToken });
    expect(on.lastRefusal().code).toBe("subject_token_replayed");
  });

  test("a request that failed before it proved a key burns nothing", async () => {
    const subjectToken = await token();
    await exchange(on, holder, { subjectToken, proof: null });
    await exchange(on, holder, { subjectToken, form: { resource: "https://other.example" } });
    expect((await exchange(on, holder, { subjectToken })).status).toBe(200);
  });

  test("a used token is remembered over a restart", async () => {
    const first = await startTestBroker();
    const subjectToken = await first.subjectToken();
    expect((await exchange(first, holder, { subjectToken })).status).toBe(200);
    const second = await first.restart();
    await exchange(second, holder, { subjectToken });
    expect(second.lastRefusal().code).toBe("subject_token_replayed");
    await second.close();
  });
});

describe("one session per job", () => {
  test("a lost answer: the exchange repeated with a fresh token and the same key finds the same session", async () => {
    await exchange(on, holder, { subjectToken: await token() });
    const first = await call(on, holder, "GET /session");
    await exchange(on, holder, { subjectToken: await token() });
    const second = await call(on, holder, "GET /session");
    expect(second.body.session).toBe(first.body.session);
    expect(second.body.audit.salt).toBe(first.body.audit.salt);
  });

  test("a second exchange by the same job without the key: refused, and a finding of the run", async () => {
    await exchange(on, holder, { subjectToken: await token() });
    const { body: document } = await call(on, holder, "GET /session");
    const intruder = await Holder.create();
    const answer = await exchange(on, intruder, { subjectToken: await token() });
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(on.lastRefusal().code).toBe("workload_taken");
    const database = await openDatabase(on.config.database);
    const session = await findSession(database, document.session);
    const findings = await database
      .selectFrom("findings")
      .selectAll()
      .where("run", "=", session?.run ?? "")
      .execute();
    await database.destroy();
    expect(findings).toMatchObject([{ kind: "takeover_attempt", workload: session?.workload }]);
    expect(findings[0]?.detail).toContain(intruder.thumbprint);
    expect((await call(on, holder, "GET /session")).status).toBe(200);
  });

  test("the attempt is recorded whatever robot it asks for, and however often, up to a bound", async () => {
    await exchange(on, holder, { subjectToken: await token() });
    const intruder = await Holder.create();
    for (let count = 0; count < 25; count += 1) {
      await exchange(on, intruder, {
        subjectToken: await token(),
        form: { scope: "robot:acme/payments/nobody" },
      });
      expect(on.lastRefusal().code).toBe("workload_taken");
    }
    const database = await openDatabase(on.config.database);
    const rows = await database
      .selectFrom("findings")
      .innerJoin("workloads", "workloads.id", "findings.workload")
      .select("findings.id")
      .where("run_id", "=", job.run_id)
      .execute();
    await database.destroy();
    expect(rows).toHaveLength(20);
  });

  test("two keys at once: one session", async () => {
    const others = await Promise.all(Array.from({ length: 8 }, async () => Holder.create()));
    const answers = await Promise.all(
      others.map(async (other) => exchange(on, other, { subjectToken: await token() })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === "invalid_grant")).toHaveLength(7);
  });

  test("another job of the same run, and another attempt, have keys of their own", async () => {
    expect((await exchange(on, holder, { subjectToken: await token() })).status).toBe(200);
    for (const overrides of [{ check_run_id: "5002" }, { run_attempt: "2" }]) {
      const other = await Holder.create();
      expect((await exchange(on, other, { subjectToken: await token(overrides) })).status).toBe(200);
    }
  });

  test("a refused exchange does not bind the job", async () => {
    const refused = await Holder.create();
    await exchange(on, refused, {
      subjectToken: await token(),
      form: { scope: "robot:acme/payments/sleeper" },
    });
    expect((await exchange(on, holder, { subjectToken: await token() })).status).toBe(200);
  });

  test("a revocation releases nothing: neither the key again nor another one gets a session", async () => {
    await exchange(on, holder, { subjectToken: await token() });
    expect((await call(on, holder, "DELETE /session")).status).toBe(204);
    expect(await exchange(on, holder, { subjectToken: await token() })).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    expect(on.lastRefusal().code).toBe("session_ended");
    await exchange(on, await Holder.create(), { subjectToken: await token() });
    expect(on.lastRefusal().code).toBe("workload_taken");
  });

  test("other roles than before are refused, the session stays as it is", async () => {
    await exchange(on, holder, {
      subjectToken: await token(),
      form: { scope: "robot:acme/payments/triager role:reader" },
    });
    expect(await exchange(on, holder, { subjectToken: await token() })).toMatchObject({
      status: 400,
      body: { error: "invalid_scope" },
    });
    expect((await call(on, holder, "GET /session")).body.roles).toEqual(["reader"]);
  });
});

describe("the binding", () => {
  const refusedWith = async (overrides: Record<string, unknown>): Promise<string> => {
    const answer = await exchange(on, holder, { subjectToken: await token(overrides) });
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_request" } });
    expect(on.lastRefusal().code).toBe("robot_refused");
    return on.lastRefusal().detail;
  };

  test("a recreated repository: same name, new id", async () => {
    expect(
      await refusedWith({ repository_id: "999", sub: "repo:acme/payments:ref:refs/heads/main" }),
    ).toContain("repository_id");
  });

  test("a renamed one: accepted, and logged", async () => {
    const renamed = {
      repository: "acme/paying",
      sub: "repo:acme@123456/paying@456789:ref:refs/heads/main",
      workflow_ref: "acme/paying/.github/workflows/triage.yml@refs/heads/main",
      job_workflow_ref: "acme/paying/.github/workflows/triage.yml@refs/heads/main",
    };
    expect((await exchange(on, holder, { subjectToken: await token(renamed) })).status).toBe(200);
    expect(on.logged.findLast((line) => line["msg"] === "session")).toMatchObject({
      renamedTo: "acme/paying",
    });
  });

  test("another owner, workflow, event, ref, runner", async () => {
    expect(
      await refusedWith({ repository_owner_id: "999", sub: "repo:acme/payments:ref:refs/heads/main" }),
    ).toContain("repository_owner_id");
    const evil = "acme/payments/.github/workflows/evil.yml@refs/heads/main";
    expect(await refusedWith({ workflow_ref: evil, job_workflow_ref: evil })).toContain("workflow_ref");
    expect(await refusedWith({ event_name: "pull_request_target" })).toContain("event");
    expect(await refusedWith({ runner_environment: "self-hosted" })).toContain("runner");
  });
});

test("audience, expiry and issuer are told apart for the author of the workflow, the signature is not explained", async () => {
  const sentences: Record<string, string> = {};
  for (const [name, overrides] of Object.entries({
    audience: { aud: "https://github.com/acme" },
    expired: { exp: Math.floor(on.now() / 1000) - 1, iat: Math.floor(on.now() / 1000) - 300 },
    issuer: { iss: "https://attacker.example" },
  })) {
    const { status, body } = await exchange(on, holder, { subjectToken: await token(overrides) });
    expect(status).toBe(400);
    expect(body.reference).toMatch(/^[0-9a-f]{12}$/);
    sentences[name] = body.error_description;
  }
  expect(sentences["audience"]).toContain("audience");
  expect(sentences["expired"]).toContain("expired");
  expect(sentences["issuer"]).toContain("LANYARD_ISSUERS");
});

test("a reference leads to the code and the detail in the log, and no token does", async () => {
  const subjectToken = await token({ aud: "canary-audience" });
  const { body } = await exchange(on, holder, { subjectToken });
  const line = on.logged.find((entry) => entry["reference"] === body.reference);
  expect(line).toMatchObject({ code: "audience_wrong", level: 40 });
  const text = JSON.stringify(on.logged);
  expect(text).toContain("canary-audience");
  expect(text).not.toContain(subjectToken);
  expect(text).not.toContain(subjectToken.split(".")[2]);
});

test("our own access token as subject token", async () => {
  await exchange(on, holder, { subjectToken: await token() });
  const answer = await exchange(on, holder, { subjectToken: holder.accessToken });
  expect(answer).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  expect(on.lastRefusal().code).toBe("issuer_unknown");
});

test("half a request is dropped and harms nobody", async () => {
  const socket = connect(on.broker.address.port, "127.0.0.1");
  socket.write("POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc");
  socket.destroy();
  expect((await exchange(on, holder, { subjectToken: await token() })).status).toBe(200);
});
