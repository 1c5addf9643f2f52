/** A session that is renewed and revoked at the same time, on two replicas, in every order: it ends, and leaves nothing. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Services } from "../../../broker/services.ts";
import { exchange as exchangeDirectly } from "../../../broker/sessions/exchange.ts";
import { renew } from "../../../broker/sessions/renewal.ts";
import { revokeSession } from "../../../broker/sessions/revocation.ts";
import type { OpenedServices } from "../../../broker/start.ts";
import { findSession } from "../../../broker/storage/sessions/sessions.ts";
import { type TestBroker, startTestBroker } from "../../support/broker.ts";
import { Holder, call, exchange } from "../../support/session-holder.ts";
import { openReplica } from "./second-replica.ts";

let on: TestBroker;
let replica: OpenedServices;
let services: Services;
let holder: Holder;
let job: { run_id: string };
let jobs = 7000;
let session: string;

beforeAll(async () => {
  on = await startTestBroker();
  replica = await openReplica(on);
  ({ services } = replica);
});
afterAll(async () => {
  await replica.close();
  await on.close();
});
beforeEach(async () => {
  ({ holder, job, session } = await openSession());
});

async function openSession() {
  const holder = await Holder.create();
  jobs += 1;
  const job = { run_id: String(jobs) };
  expect((await exchange(on, holder, { subjectToken: await on.subjectToken(job) })).status).toBe(200);
  const { body } = await call(on, holder, "GET /session");
  return { holder, job, session: String(body.session) };
}

async function rowOf(id: string) {
  const row = await findSession(services.database, id);
  if (row === undefined) throw new Error(`there is no session ${id}`);
  return row;
}

async function expectOver(
  { holder, job, session }: Awaited<ReturnType<typeof openSession>>,
  tokens: readonly string[],
): Promise<void> {
  const row = await rowOf(session);
  expect(row.state).toBe("revoked");
  expect(row.ended_at).not.toBeNull();
  for (const accessToken of tokens) {
    expect(await call(on, holder, "GET /session", undefined, { accessToken })).toMatchObject({
      status: 401,
      body: { error: "session_over" },
    });
  }
  await exchange(on, holder, { subjectToken: await on.subjectToken(job) });
  expect(on.lastRefusal().code).toBe("session_ended");
}

test("renew racing with revoke gives no orphan: revoked while the renewal is verified", async () => {
  const renewing: Services = {
    ...services,
    subjectTokens: {
      verify: async (token) => {
        const verified = await services.subjectTokens.verify(token);
        expect((await call(on, holder, "DELETE /session")).status).toBe(204);
        return verified;
      },
    },
  };
  const caller = { ok: true, session: await rowOf(session), thumbprint: holder.thumbprint } as const;
  const renewed = await renew(caller, await on.subjectToken(job), renewing);
  expect(renewed).toMatchObject({ ok: false, code: "session_over" });
  await expectOver({ holder, job, session }, [holder.accessToken]);
});

test("renew racing with revoke gives no orphan: revoked between the new expiry and the new token", async () => {
  const renewing: Services = {
    ...services,
    ledger: {
      ...services.ledger,
      renew: async (renewal) => {
        const renewed = await services.ledger.renew(renewal);
        expect((await call(on, holder, "DELETE /session")).status).toBe(204);
        return renewed;
      },
    },
  };
  const caller = { ok: true, session: await rowOf(session), thumbprint: holder.thumbprint } as const;
  const renewed = await renew(caller, await on.subjectToken(job), renewing);
  if (!renewed.ok) throw new Error(renewed.detail);
  await expectOver({ holder, job, session }, [holder.accessToken, renewed.response.access_token]);
});

test("an exchange repeated while its session is revoked brings nothing back", async () => {
  const subject = await services.subjectTokens.verify(await on.subjectToken(job));
  if (!subject.ok) throw new Error(subject.detail);
  const proof = {
    ok: true,
    thumbprint: holder.thumbprint,
    jti: "of-a-proof-1",
    expiresAt: on.now() + 60_000,
  } as const;
  const revoking: Services = {
    ...services,
    ledger: {
      ...services.ledger,
      admit: async (admission) => {
        expect((await call(on, holder, "DELETE /session")).status).toBe(204);
        return services.ledger.admit(admission);
      },
    },
  };
  const scope = { ok: true, robot: "acme/payments/triager" } as const;
  const again = await exchangeDirectly({ subject, proof, scope }, revoking);
  expect(again).toMatchObject({ ok: false, code: "session_ended" });
  await expectOver({ holder, job, session }, [holder.accessToken]);
});

test("renew racing with revoke gives no orphan: twenty sessions, two replicas, whoever comes first", async () => {
  const opened = await Promise.all(Array.from({ length: 20 }, openSession));
  const outcomes = await Promise.all(
    opened.map(async (each, index) => {
      const subjectToken = await on.subjectToken(each.job);
      const renewal = call(on, each.holder, "POST /session/renew", { subject_token: subjectToken });
      // Some at once, some when the renewal is under way.
      for (let turn = 0; turn < index * 3; turn += 1) await new Promise(setImmediate);
      const revoked = await revokeSession(services.database, each.session, { at: on.now() });
      return { each, revoked, renewal: await renewal };
    }),
  );
  for (const { each, revoked, renewal } of outcomes) {
    expect(revoked).toBe(true);
    expect(renewal.status).toBeOneOf([200, 401]);
    const fresh = renewal.status === 200 ? [String(renewal.body.access_token)] : [];
    await expectOver(each, [each.holder.accessToken, ...fresh]);
  }
});

test("a seal that comes first is not undone by a revocation, nor a revocation by a late renewal", async () => {
  expect(await revokeSession(services.database, session, { at: on.now() })).toBe(true);
  expect(await revokeSession(services.database, session, { at: on.now() })).toBe(false);
  const renewal = { subject_token: await on.subjectToken(job) };
  expect((await call(on, holder, "POST /session/renew", renewal)).status).toBe(401);
  await services.database
    .updateTable("sessions")
    .set({ state: "sealed" })
    .where("id", "=", session)
    .execute();
  expect(await revokeSession(services.database, session, { at: on.now() })).toBe(false);
  expect((await rowOf(session)).state).toBe("sealed");
});
