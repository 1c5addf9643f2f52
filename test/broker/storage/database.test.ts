/** The database, whichever it is: prepared once, shared, and each transaction whole. */
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DatabaseConfig } from "../../../broker/config-values.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { expireRows } from "../../../broker/storage/sessions/expiry.ts";
import { recordFinding } from "../../../broker/storage/sessions/findings.ts";
import { runnerOf } from "../../../broker/storage/ledger/runner.ts";
import type { Queries } from "../../../broker/storage/schema.ts";
import { spendProofs, spendToken, spendTokens } from "../../../broker/storage/ledger/spent.ts";
import { fixFinalSegment } from "../../../broker/storage/sessions/sessions.ts";
import { inTransaction, lockSession } from "../../../broker/storage/transactions.ts";
import { describeOnBoth } from "../../support/both-databases.ts";
import { admissionOf } from "../../support/admissions.ts";
import { openLedger } from "../../../broker/storage/ledger/ledger.ts";

const token = (jti: string, expiresAt = 1) => ({ iss: "https://issuer.example", jti, expiresAt });

describeOnBoth((create) => {
  let config: DatabaseConfig;
  let one: Queries;
  let two: Queries;
  beforeEach(async () => {
    config = await create();
    [one, two] = [await openDatabase(config), await openDatabase(config)];
  });
  afterEach(async () => {
    await one.destroy();
    await two.destroy();
  });

  test("eight brokers that start at once on an empty database: one prepares it, all of them start", async () => {
    const empty = await create();
    const databases = await Promise.all(Array.from({ length: 8 }, async () => openDatabase(empty)));
    for (const database of databases) {
      expect(await database.selectFrom("sessions").selectAll().execute()).toEqual([]);
    }
    await Promise.all(databases.map(async (database) => database.destroy()));
  });

  test("opened twice by two processes' worth of connections, each token is spent once", async () => {
    const spent = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => spendToken(index % 2 === 0 ? one : two, token("same"))),
    );
    expect(spent.filter(Boolean)).toHaveLength(1);
    // The same jti from another issuer does not burn.
    expect(await spendToken(one, { ...token("same"), iss: "https://other.example" })).toBe(true);
  });

  test("in one list the first of several of the same is told that it is fresh", async () => {
    expect(await spendTokens(runnerOf(one), [token("a"), token("b"), token("a")])).toEqual([
      true,
      true,
      false,
    ]);
    const proof = (jti: string) => ({ thumbprint: "t", jti, expiresAt: 1 });
    expect(await spendProofs(runnerOf(one), [proof("a"), proof("a"), proof("b")])).toEqual([
      true,
      false,
      true,
    ]);
    expect(await spendProofs(runnerOf(two), [proof("b"), proof("c")])).toEqual([false, true]);
  });

  test.each(["a\u0000b", "\ud800", "'; drop table used_tokens; --", "x".repeat(5_000)])(
    "a jti that not every database stores is spent once, and is not another one",
    async (jti) => {
      expect(await spendTokens(runnerOf(one), [token(jti), token(`${jti} `), token(jti)])).toEqual([
        true,
        true,
        false,
      ]);
    },
  );

  test("a transaction that fails leaves nothing, and the next one is not disturbed", async () => {
    const failing = one.transaction().execute(async (db) => {
      await spendToken(db, token("a"));
      throw new Error("no");
    });
    const other = one.transaction().execute(async (db) => spendToken(db, token("b")));
    await expect(failing).rejects.toThrow("no");
    expect(await other).toBe(true);
    expect(await spendToken(one, token("a"))).toBe(true);
    expect(await spendToken(one, token("b"))).toBe(false);
  });

  test("a statement that fails undoes its transaction, also when the failure is swallowed", async () => {
    const swallowed = one.transaction().execute(async (db) => {
      await spendToken(db, token("a"));
      await sql`insert into segments (session) values ('none')`.execute(db).catch(() => undefined);
      throw new Error("given up");
    });
    await expect(swallowed).rejects.toThrow("given up");
    expect(await spendToken(two, token("a"))).toBe(true);
  });

  test("two transactions that stand in each other's way: one is tried again, both are done", async () => {
    const both = async (db: Queries, order: readonly string[]) =>
      inTransaction(db, async (transaction) => {
        for (const jti of order) await spendToken(transaction, token(jti));
      });
    await Promise.all([
      both(one, ["a", "b"]),
      both(two, ["b", "a"]),
      both(one, ["b", "a"]),
      both(two, ["a", "b"]),
    ]);
    expect(await spendTokens(runnerOf(one), [token("a"), token("b")])).toEqual([false, false]);
  });

  test("whoever locked a session decides first: the next one sees what was decided", async () => {
    const admission = admissionOf();
    await openLedger(one).admit(admission);
    const id = admission.draft?.session.id ?? "";
    const [locked, decided] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = one.transaction().execute(async (db) => {
      await lockSession(db, id);
      locked.resolve();
      await decided.promise;
      await fixFinalSegment(db, id, 7);
    });
    await locked.promise;
    const second = two.transaction().execute(async (db) => lockSession(db, id));
    setTimeout(decided.resolve, 100);
    expect((await second)?.final_segment).toBe(7);
    await first;
  });

  test("times come back as the numbers they were", async () => {
    const at = Date.UTC(2090, 0, 1);
    await openLedger(one).admit(admissionOf({ session: { expires_at: at } }));
    const row = await two.selectFrom("sessions").selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ expires_at: at, ended_at: null, binding: 1 });
  });

  test("findings are bounded, also when they come on several brokers at once", async () => {
    await openLedger(one).admit(admissionOf({ workload: { id: "w" } }));
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) =>
        recordFinding(index % 2 === 0 ? one : two, {
          run: "r",
          workload: "w",
          session: null,
          kind: "takeover_attempt",
          detail: String(index),
          time: index,
        }),
      ),
    );
    expect(await one.selectFrom("findings").select("id").execute()).toHaveLength(20);
  });

  describe("time passes", () => {
    const MINUTE_MS = 60_000;
    const now = 1_000 * MINUTE_MS;

    test("what was spent is forgotten well after it is too old to be accepted, and not before", async () => {
      const tokens = [token("old", now - 11 * MINUTE_MS), token("just", now - 1), token("young", now + 1)];
      await spendTokens(runnerOf(one), tokens);
      const proofs = tokens.map(({ jti, expiresAt }) => ({ thumbprint: "t", jti, expiresAt }));
      await spendProofs(runnerOf(one), proofs);
      await expireRows(one, now);
      expect(await spendTokens(runnerOf(one), tokens)).toEqual([true, false, false]);
      expect(await spendProofs(runnerOf(one), proofs)).toEqual([true, false, false]);
    });

    test("thousands of rows, and two brokers that clean up at once: all are gone, nobody fails", async () => {
      const many = Array.from({ length: 2_300 }, (_, index) => token(String(index)));
      const rows = many.map(({ iss, jti, expiresAt }) => ({ iss, jti, expires_at: expiresAt }));
      await one.insertInto("used_tokens").values(rows).execute();
      await Promise.all([expireRows(one, now), expireRows(two, now)]);
      await expireRows(one, now);
      expect(await one.selectFrom("used_tokens").select("jti").execute()).toEqual([]);
    });

    test("a session that ran out is marked, its job stays bound to its key", async () => {
      const ledger = openLedger(one);
      await ledger.admit(admissionOf({ workload: { id: "w" }, session: { expires_at: now } }));
      await expireRows(two, now - 1);
      expect((await one.selectFrom("sessions").selectAll().executeTakeFirstOrThrow()).state).toBe("active");
      const YEARS = 10 * 365 * 24 * 60 * MINUTE_MS;
      await expireRows(two, now + YEARS);
      const session = await one.selectFrom("sessions").selectAll().executeTakeFirstOrThrow();
      expect(session).toMatchObject({ state: "expired", ended_at: now });
      const late = await ledger.admit(admissionOf({ workload: { id: "w", thumbprint: "another key" } }));
      expect(late.kind).toBe("taken");
    });
  });

  test("a database that a newer Lanyard has changed is refused and left as it is", async () => {
    await sql`insert into kysely_migration (name, timestamp) values ('9999-future', '2030-01-01')`.execute(
      one,
    );
    await expect(openDatabase(config)).rejects.toMatchObject({ code: "database_unusable" });
    await expect(openDatabase(config)).rejects.toThrow("9999-future");
  });
});
