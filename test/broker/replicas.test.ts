/** Two broker processes on one real PostgreSQL: whatever is asked of one holds on the other. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  POSTGRES_START_TIMEOUT_MS,
  type PostgresServer,
  skipsPostgres,
  startPostgres,
} from "../support/postgres.ts";
import { type Replicas, startReplicas } from "../support/replicas.ts";
import { Holder, LogWriter, SEAL, announce, call, exchange, upload } from "../support/session-holder.ts";

const TRIES = 50;
const OVER = "The session has ended";

describe.skipIf(skipsPostgres)("two replicas on one PostgreSQL", () => {
  let server: PostgresServer;
  let database: { readonly url: string };
  let on: Replicas;
  let job: { run_id: string };
  let jobs = 0;

  beforeAll(async () => {
    server = await startPostgres();
  }, POSTGRES_START_TIMEOUT_MS);
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    jobs += 1;
    job = { run_id: String(7000 + jobs) };
    database = await server.createDatabase();
    on = await startReplicas(2, database.url);
    return async () => on.close();
  }, 60_000);

  const createHolders = async (count: number): Promise<Holder[]> =>
    Promise.all(Array.from({ length: count }, async () => Holder.create()));

  test("fifty exchanges of one job at once, each with a key of its own: exactly one wins, the others are takeover attempts", async () => {
    const holders = await createHolders(TRIES);
    const tokens = await Promise.all(holders.map(async () => on.subjectToken(job)));
    const answers = await Promise.all(
      holders.map(async (holder, index) => exchange(on, holder, { subjectToken: tokens[index] ?? "" })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 200);
    expect(others.map(({ status, body }) => `${status} ${body.error}`)).toEqual(
      Array.from({ length: TRIES - 1 }, () => "400 invalid_grant"),
    );
    const [{ winner } = {}] = await server.query(database, "select thumbprint as winner from workloads");
    expect(winner).toBe(holders[answers.findIndex(({ status }) => status === 200)]?.thumbprint);
    const findings = await server.query(database, "select kind from findings");
    expect(findings).toEqual(Array.from({ length: 20 }, () => ({ kind: "takeover_attempt" })));
  });

  test("the same jti fifty times at once: exactly one wins", async () => {
    const holders = await createHolders(TRIES);
    const subjectToken = await on.subjectToken({ ...job, jti: randomUUID() });
    const answers = await Promise.all(holders.map(async (holder) => exchange(on, holder, { subjectToken })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(
      answers.filter(({ body }) => body.error_description?.includes("The subject token was used before")),
    ).toHaveLength(TRIES - 1);
  });

  test("fifty exchanges of one job at once with one key, as a proxy repeats them: one session", async () => {
    const holder = await Holder.create();
    const tokens = await Promise.all(Array.from({ length: TRIES }, async () => on.subjectToken(job)));
    const answers = await Promise.all(
      tokens.map(async (subjectToken) => exchange(on, holder, { subjectToken })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: TRIES }, () => 200));
    expect(await server.query(database, "select id from sessions")).toHaveLength(1);
  });

  test("a session that was made on one is renewed, written to and sealed on the other", async () => {
    const holder = await Holder.create();
    on.pin(0);
    expect((await exchange(on, holder, { subjectToken: await on.subjectToken(job) })).status).toBe(200);
    on.pin(1);
    const renewed = await call(on, holder, "POST /session/renew", {
      subject_token: await on.subjectToken(job),
    });
    expect(renewed.status).toBe(200);
    holder.accessToken = renewed.body.access_token;
    const segment = await new LogWriter(Date.now).segment([SEAL]);
    const announced = await announce(on, holder, segment);
    expect(announced.status).toBe(200);
    on.pin(0);
    expect((await upload(announced.body.upload, segment.body)).status).toBe(200);
    on.pin(1);
    const { segment: segments, last_seq, head } = segment.request;
    expect(await call(on, holder, "POST /session/seal", { segments, last_seq, head })).toMatchObject({
      status: 200,
      body: { status: "sealed" },
    });
    on.pin(0);
    expect((await call(on, holder, "GET /session")).body.error_description).toContain(OVER);
  });

  test("a session that was revoked on one is over on the other at once, and stays so", async () => {
    const holder = await Holder.create();
    on.pin(0);
    await exchange(on, holder, { subjectToken: await on.subjectToken(job) });
    on.pin(1);
    expect((await call(on, holder, "GET /session")).status).toBe(200);
    expect((await call(on, holder, "DELETE /session")).status).toBeLessThan(300);
    on.pin(0);
    expect((await call(on, holder, "GET /session")).body.error_description).toContain(OVER);
    const again = await exchange(on, holder, { subjectToken: await on.subjectToken(job) });
    expect(again).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  });

  test("one replica is killed with SIGKILL under load: no accepted exchange is lost or answered twice", async () => {
    const accepted: { holder: Holder; run: string; session: string }[] = [];
    const unanswered: { holder: Holder; run: string }[] = [];
    const killed = Promise.withResolvers<void>();
    const exchangeOne = async (run: string): Promise<void> => {
      const holder = await Holder.create();
      const subjectToken = await on.subjectToken({ run_id: run });
      const answer = await exchange(on, holder, { subjectToken }).catch(() => undefined);
      if (answer === undefined) {
        unanswered.push({ holder, run });
        return;
      }
      expect(answer.status).toBe(200);
      accepted.push({ holder, run, session: sessionOf(answer.body.access_token) });
      if (accepted.length === 60) killed.resolve(on.killWhile(0, 4));
    };
    const lanes = Array.from({ length: 24 }, async (_, lane) => {
      for (let count = 0; count < 15; count += 1) await exchangeOne(`${8000 + lane * 100 + count}`);
    });
    await Promise.all([killed.promise, ...lanes]);
    expect(unanswered.length).toBeGreaterThan(0);

    // Whoever got no answer asks again: the same key, a fresh token.
    for (const { holder, run } of unanswered) {
      const answer = await exchange(on, holder, { subjectToken: await on.subjectToken({ run_id: run }) });
      expect(answer.status).toBe(200);
      accepted.push({ holder, run, session: sessionOf(answer.body.access_token) });
    }
    const rows = await server.query(
      database,
      "select s.id, w.run_id, w.thumbprint from sessions s join workloads w on w.id = s.workload",
    );
    const stored = rows.map(({ id, run_id, thumbprint }) => [run_id, id, thumbprint].join(" ")).sort();
    expect(stored).toEqual(
      accepted.map(({ holder, run, session }) => `${run} ${session} ${holder.thumbprint}`).sort(),
    );
    expect(new Set(rows.map(({ run_id }) => run_id)).size).toBe(24 * 15);
    // And whoever got one finds the same session on the replica that is left.
    for (const { holder, run, session } of accepted.slice(0, 20)) {
      const answer = await exchange(on, holder, { subjectToken: await on.subjectToken({ run_id: run }) });
      expect(sessionOf(answer.body.access_token)).toBe(session);
    }
  }, 60_000);
});

/** What the access token says it is of. */
function sessionOf(accessToken: string): string {
  const payload = JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString("utf8"));
  const session = JSON.stringify(payload).match(/ses_[0-9a-f]{32}/)?.[0];
  if (session === undefined) throw new Error("the access token names no session");
  return session;
}
