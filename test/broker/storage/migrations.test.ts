/** A database that an earlier version made is brought to the newest tables with all that is in it. */
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { expect, test } from "vitest";
import type { DatabaseConfig } from "../../../broker/config-values.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { migrations } from "../../../broker/storage/migrations/all.ts";
import { openLedger } from "../../../broker/storage/ledger/ledger.ts";
import { openPostgres } from "../../../broker/storage/postgres/postgres.ts";
import { runnerOf } from "../../../broker/storage/ledger/runner.ts";
import type { Database, Queries } from "../../../broker/storage/schema.ts";
import { spendProofs, spendToken } from "../../../broker/storage/ledger/spent.ts";
import { openSqlite } from "../../../broker/storage/sqlite/sqlite.ts";
import { admissionOf } from "../../support/admissions.ts";
import { describeOnBoth } from "../../support/both-databases.ts";

const TOKEN = { iss: "https://issuer.example", jti: "spent before", expiresAt: 1 };
const PROOF = { thumbprint: "key", jti: "shown before", expiresAt: 1 };

async function openAsOf(config: DatabaseConfig, last: string): Promise<Queries> {
  const dialect =
    config.kind === "postgres"
      ? openPostgres({ url: config.url, preparing: true })
      : await openSqlite({ path: config.path, commitDelayMs: 0 });
  const database = new Kysely<Database>({ dialect });
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateTo(last);
  expect(error).toBeUndefined();
  return database;
}

describeOnBoth((create) => {
  test("sessions, their segments and changes, and what was spent are kept, and a job still has one session", async () => {
    const config = await create();
    const { workload, draft, ...admission } = admissionOf();
    if (draft === undefined) throw new Error("nothing was granted");
    const { session, policy } = draft;
    const segment = {
      session: session.id,
      segment: 1,
      bytes: 1,
      sha256: "s",
      md5: "m",
      first_seq: 0,
      last_seq: 1,
      prev: "p",
      head: "h",
      checkpoint: "c",
      announced_at: 1,
    };
    const change = { session: session.id, policy: policy.digest, documents: "d", lost: "[]", time: 1 };

    const before = await openAsOf(config, "0006-policy-changes");
    await spendToken(before, TOKEN);
    await spendProofs(runnerOf(before), [PROOF]);
    await before.insertInto("workloads").values(workload).execute();
    await before.insertInto("policies").values(policy).execute();
    await before.insertInto("sessions").values(session).execute();
    await before.insertInto("segments").values(segment).execute();
    await before.insertInto("policy_changes").values(change).execute();
    await before.destroy();

    const after = await openDatabase(config);
    try {
      expect(await after.selectFrom("sessions").selectAll().execute()).toMatchObject([session]);
      expect(await after.selectFrom("segments").selectAll().execute()).toEqual([segment]);
      expect(await after.selectFrom("policy_changes").selectAll().execute()).toEqual([change]);
      expect(await spendToken(after, TOKEN)).toBe(false);
      expect(await spendProofs(runnerOf(after), [PROOF])).toEqual([false]);
      const again = { ...draft, session: { ...session, id: "ses_again", object_prefix: "ses_again/" } };
      const admitted = await openLedger(after).admit({ ...admission, workload, draft: again });
      expect(admitted.kind === "opened" && admitted.session.id).toBe(session.id);
      await expect(
        after
          .insertInto("segments")
          .values({ ...segment, session: "none" })
          .execute(),
      ).rejects.toThrow(/foreign key/i);
    } finally {
      await after.destroy();
    }
  });
});
