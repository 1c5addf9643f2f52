/** Whose a job is: one key per workload, for all of its robots; and what counts as a workload. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type TestBroker, robotsDocument, startTestBroker } from "../../support/broker.ts";
import { Holder, call, exchange } from "../../support/session-holder.ts";

let on: TestBroker;
let holder: Holder;
let job: Record<string, unknown>;
let jobs = 8000;

/** A second robot that the same job may use. */
const twoRobots = (issuer: string): string =>
  `${robotsDocument(issuer)}  labeller:
    bindings:
      - { workflow: .github/workflows/triage.yml, events: [schedule], ref: refs/heads/main, roles: [reader] }
`;

beforeAll(async () => {
  on = await startTestBroker({ files: (issuer) => ({ "robots/acme/payments.yaml": twoRobots(issuer) }) });
});
afterAll(async () => {
  await on.close();
});
beforeEach(async () => {
  holder = await Holder.create();
  jobs += 1;
  job = { run_id: String(jobs) };
});

const ask = async (who: Holder, overrides: Record<string, unknown> = {}, scope?: string) =>
  exchange(on, who, {
    subjectToken: await on.subjectToken({ ...job, ...overrides }),
    ...(scope === undefined ? {} : { form: { scope } }),
  });
const sessionOf = async (who: Holder): Promise<string> =>
  String((await call(on, who, "GET /session")).body.session);

describe("lost answer", () => {
  test("the exchange repeated with a fresh token and the same key finds the same session, however often", async () => {
    const sessions = new Set<string>();
    for (let count = 0; count < 3; count += 1) {
      expect((await ask(holder)).status).toBe(200);
      sessions.add(await sessionOf(holder));
    }
    expect(sessions.size).toBe(1);
  });

  test("ten repetitions at once find one session", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, async () => ask(holder)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const sids = answers.map(({ body }) => {
      const [, payload = ""] = String(body.access_token).split(".");
      return JSON.parse(Buffer.from(payload, "base64url").toString()).sid as string;
    });
    expect(new Set(sids).size).toBe(1);
  });

  test("with the same subject token it is refused: only the answer was lost, not the token", async () => {
    const subjectToken = await on.subjectToken(job);
    expect((await exchange(on, holder, { subjectToken })).status).toBe(200);
    await exchange(on, holder, { subjectToken });
    expect(on.lastRefusal().code).toBe("subject_token_replayed");
  });
});

test("jobs of a matrix are different workloads: each has its key and its session", async () => {
  const sessions = [];
  for (const check_run_id of ["6001", "6002", "6003"]) {
    const one = await Holder.create();
    expect((await ask(one, { check_run_id })).status).toBe(200);
    sessions.push(await sessionOf(one));
  }
  expect(new Set(sessions).size).toBe(3);
});

test("re-run attempts are different workloads, also with the check run id of the first", async () => {
  expect((await ask(holder)).status).toBe(200);
  const rerun = await Holder.create();
  expect((await ask(rerun, { run_attempt: "2" })).status).toBe(200);
  expect(await sessionOf(rerun)).not.toBe(await sessionOf(holder));
});

describe("a token of an earlier attempt", () => {
  const refusedAsOver = (answer: Awaited<ReturnType<typeof ask>>): void => {
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(on.lastRefusal()).toEqual({
      code: "attempt_over",
      detail: `a later attempt of run ${String(job["run_id"])} has a session already: the jobs of attempt 1 are over`,
    });
  };

  test("of a job that never exchanged opens nothing once a later attempt has, and binds nothing", async () => {
    expect((await ask(holder, { run_attempt: "2", check_run_id: "6002" })).status).toBe(200);
    refusedAsOver(await ask(await Holder.create(), { check_run_id: "6001" }));
    const database = await openDatabase(on.config.database);
    const attempts = database.selectFrom("workloads").select("run_attempt");
    const bound = await attempts.where("run_id", "=", String(job["run_id"])).execute();
    await database.destroy();
    expect(bound).toEqual([{ run_attempt: "2" }]);
  });

  test("is spent, and its caller is told what the caller of an ended session is told", async () => {
    expect((await ask(holder, { run_attempt: "2" })).status).toBe(200);
    const subjectToken = await on.subjectToken(job);
    const { body } = await exchange(on, await Holder.create(), { subjectToken });
    await exchange(on, await Holder.create(), { subjectToken });
    expect(on.lastRefusal().code).toBe("subject_token_replayed");
    expect((await call(on, holder, "DELETE /session")).status).toBe(204);
    const ended = await ask(holder, { run_attempt: "2" });
    expect(body["error_description"]).toBe(ended.body["error_description"]);
  });

  test("does not bring its session back, nor renew it, not even with its key", async () => {
    expect((await ask(holder)).status).toBe(200);
    expect((await ask(await Holder.create(), { run_attempt: "2" })).status).toBe(200);
    refusedAsOver(await ask(holder));
    const renewal = { subject_token: await on.subjectToken(job) };
    refusedAsOver(await call(on, holder, "POST /session/renew", renewal));
  });

  test("with another key than its job's is a takeover attempt all the same", async () => {
    expect((await ask(holder)).status).toBe(200);
    expect((await ask(await Holder.create(), { run_attempt: "2" })).status).toBe(200);
    await ask(await Holder.create());
    expect(on.lastRefusal().code).toBe("workload_taken");
  });

  test("attempts are numbers: after the tenth, one of the ninth is refused, one of the eleventh is not", async () => {
    expect((await ask(holder, { run_attempt: "10" })).status).toBe(200);
    await ask(await Holder.create(), { run_attempt: "9" });
    expect(on.lastRefusal().code).toBe("attempt_over");
    expect((await ask(await Holder.create(), { run_attempt: "11" })).status).toBe(200);
  });
});

test("one key in two jobs has two sessions", async () => {
  expect((await ask(holder)).status).toBe(200);
  const first = await sessionOf(holder);
  expect((await ask(holder, { check_run_id: "6002" })).status).toBe(200);
  expect(await sessionOf(holder)).not.toBe(first);
});

describe("one workload with two robots", () => {
  test("under the same key: a session each", async () => {
    expect((await ask(holder)).status).toBe(200);
    const first = await sessionOf(holder);
    expect((await ask(holder, {}, "robot:acme/payments/labeller")).status).toBe(200);
    expect((await call(on, holder, "GET /session")).body).toMatchObject({ robot: "acme/payments/labeller" });
    expect(await sessionOf(holder)).not.toBe(first);
  });

  test("under another key: refused, and a takeover attempt", async () => {
    expect((await ask(holder)).status).toBe(200);
    const other = await Holder.create();
    expect(await ask(other, {}, "robot:acme/payments/labeller")).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    expect(on.lastRefusal().code).toBe("workload_taken");
  });

  test("under another key after the first session was revoked: refused all the same", async () => {
    expect((await ask(holder)).status).toBe(200);
    expect((await call(on, holder, "DELETE /session")).status).toBe(204);
    await ask(await Holder.create(), {}, "robot:acme/payments/labeller");
    expect(on.lastRefusal().code).toBe("workload_taken");
    expect((await ask(holder, {}, "robot:acme/payments/labeller")).status).toBe(200);
  });

  test("both asked for at once under two keys: one key has the job", async () => {
    const other = await Holder.create();
    const answers = await Promise.all([ask(holder), ask(other, {}, "robot:acme/payments/labeller")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
  });
});

describe("an issuer that sends no check_run_id", () => {
  const old = { check_run_id: undefined };

  test("run and attempt are the workload: the first job binds it for all, and the session says so", async () => {
    expect((await ask(holder, old)).status).toBe(200);
    expect((await call(on, holder, "GET /session")).body.workload).toEqual({
      iss: on.issuer.url,
      repository_id: "456789",
      run_id: String(job["run_id"]),
      run_attempt: "1",
      check_run_id: null,
    });
    const [, payload = ""] = holder.accessToken.split(".");
    const { act } = JSON.parse(Buffer.from(payload, "base64url").toString());
    expect(act).toEqual({
      iss: on.issuer.url,
      sub: `repository_id:456789:run_id:${String(job["run_id"])}:run_attempt:1`,
      repository_id: "456789",
      run_id: job["run_id"],
      run_attempt: "1",
    });
  });

  test("a second job of the attempt is refused, and the finding does not call it a takeover for certain", async () => {
    expect((await ask(holder, old)).status).toBe(200);
    await ask(await Holder.create(), old);
    expect(on.lastRefusal()).toMatchObject({ code: "workload_taken" });
    const database = await openDatabase(on.config.database);
    const findings = await database
      .selectFrom("findings")
      .innerJoin("workloads", "workloads.id", "findings.workload")
      .select("findings.detail")
      .where("run_id", "=", String(job["run_id"]))
      .execute();
    await database.destroy();
    expect(findings).toHaveLength(1);
    expect(findings[0]?.detail).toContain("can also have been another job of the same run attempt");
  });

  test("another attempt is another workload", async () => {
    expect((await ask(holder, old)).status).toBe(200);
    expect((await ask(await Holder.create(), { ...old, run_attempt: "2" })).status).toBe(200);
  });

  test("a job with a check_run_id is not one without", async () => {
    expect((await ask(holder, old)).status).toBe(200);
    expect((await ask(await Holder.create())).status).toBe(200);
  });
});
