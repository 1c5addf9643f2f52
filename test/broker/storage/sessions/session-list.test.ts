/** Sessions as an operator looks for them: the same on both databases. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../../../broker/storage/database.ts";
import { openLedger } from "../../../../broker/storage/ledger/ledger.ts";
import type { Queries } from "../../../../broker/storage/schema.ts";
import { type SessionFilter, listSessions } from "../../../../broker/storage/sessions/session-list.ts";
import { countRevoked, endSession, findSession } from "../../../../broker/storage/sessions/sessions.ts";
import { admissionOf } from "../../../support/admissions.ts";
import { describeOnBoth } from "../../../support/both-databases.ts";

const now = 1_000_000;

describeOnBoth((create) => {
  let database: Queries;

  beforeAll(async () => {
    database = await openDatabase(await create());
    const ledger = openLedger(database);
    const sessions = [
      { id: "ses_1", robot: "acme/pay_ments/triager", created_at: 1, expires_at: now + 1 },
      { id: "ses_2", robot: "acme/pay_ments/sleeper", created_at: 2, expires_at: now },
      { id: "ses_3", robot: "acme/payXments/triager", created_at: 3, expires_at: now + 1 },
      { id: "ses_4", robot: "acme/pay_ments2/triager", created_at: 3, expires_at: now + 1 },
    ];
    for (const [index, session] of sessions.entries()) {
      const workload = { run_id: String(index % 2), id: session.id };
      const object_prefix = `${session.id}/`;
      await ledger.admit(
        admissionOf({ workload, session: { ...session, workload: session.id, object_prefix } }),
      );
    }
    await endSession(database, "ses_4", { to: "revoked", from: ["active"], at: now, by: "alice" });
  });
  afterAll(async () => {
    await database.destroy();
  });

  test("who revoked a session stays in its row, and those that are revoked are counted", async () => {
    const again = { to: "revoked", from: ["active", "expired"], at: now + 1, by: "bob" } as const;
    expect(await endSession(database, "ses_4", again)).toBe(false);
    expect(await findSession(database, "ses_4")).toMatchObject({ revoked_by: "alice", ended_at: now });
    expect((await findSession(database, "ses_1"))?.revoked_by).toBeNull();
    expect(await countRevoked(database)).toBe(1);
  });

  const idsOf = async (filter: Partial<SessionFilter>): Promise<string[]> =>
    (await listSessions(database, { limit: 10, now, ...filter })).map(({ id }) => id);

  test("newest first, in one order however often it is asked, and no more than asked for", async () => {
    expect(await idsOf({})).toEqual(["ses_3", "ses_4", "ses_2", "ses_1"]);
    expect(await idsOf({ limit: 2 })).toEqual(["ses_3", "ses_4"]);
  });

  test("by state: what ran out is expired before anybody marked it", async () => {
    expect(await idsOf({ state: "active" })).toEqual(["ses_3", "ses_1"]);
    expect(await idsOf({ state: "expired" })).toEqual(["ses_2"]);
    expect(await idsOf({ state: "revoked" })).toEqual(["ses_4"]);
    await database.updateTable("sessions").set({ state: "expired" }).where("id", "=", "ses_2").execute();
    expect(await idsOf({ state: "expired" })).toEqual(["ses_2"]);
  });

  test("by robot, by repository, whose names are no patterns and no beginnings, and by run", async () => {
    expect(await idsOf({ robot: "acme/pay_ments/triager" })).toEqual(["ses_1"]);
    expect(await idsOf({ robot: "acme/pay_ments" })).toEqual(["ses_2", "ses_1"]);
    expect(await idsOf({ robot: "acme/pay" })).toEqual([]);
    expect(await idsOf({ runId: "0" })).toEqual(["ses_3", "ses_1"]);
    expect(await idsOf({ runId: "0", robot: "acme/pay_ments" })).toEqual(["ses_1"]);
  });
});
