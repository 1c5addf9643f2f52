/** Sessions that ended long ago are removed whole, and nothing that anybody still needs goes with them. */
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DatabaseConfig } from "../../../../broker/config-values.ts";
import { startSweeper } from "../../../../broker/sessions/sweeping.ts";
import { openDatabase } from "../../../../broker/storage/database.ts";
import { recordFinding } from "../../../../broker/storage/sessions/findings.ts";
import { openLedger } from "../../../../broker/storage/ledger/ledger.ts";
import { narrowSession } from "../../../../broker/storage/sessions/policy-changes.ts";
import { addPendingConnection } from "../../../../broker/storage/credentials/pending-connections.ts";
import { removeSessions } from "../../../../broker/storage/sessions/retention.ts";
import type { Queries, SegmentRow, SessionRow } from "../../../../broker/storage/schema.ts";
import { endSession, findSession } from "../../../../broker/storage/sessions/sessions.ts";
import { admissionOf } from "../../../support/admissions.ts";
import type { MintedState } from "../../../../broker/storage/credentials/credential-tables.ts";
import { describeOnBoth } from "../../../support/both-databases.ts";

const DAY_MS = 24 * 60 * 60_000;
const START = Date.UTC(2030, 0, 1);
/** Those that do not grow with sessions: rows that people make, one for each credential, one for each lease. */
const LASTING = [
  "signing_keys",
  "operators",
  "data_keys",
  "credential_secrets",
  "credential_health",
  "leases",
];

const policyOf = (digest: string) => ({ digest, source: "{}", created_at: START });

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

  interface Opened {
    readonly workload?: string;
    readonly robot?: string;
    readonly policy?: string;
    /** When it began and ran out. */
    readonly at?: number;
    /** When it was sealed; absent: never. */
    readonly sealedAt?: number;
    readonly segments?: number;
  }

  async function open({
    workload = randomUUID(),
    robot = "acme/payments/triager",
    policy = "d",
    at = START,
    sealedAt,
    segments = 0,
  }: Opened = {}): Promise<SessionRow> {
    const run = `run of ${workload}`;
    const made = admissionOf({
      workload: { id: workload, run, bound_at: at },
      session: { robot, policy, created_at: at, expires_at: at, max_expires_at: at },
    });
    if (made.draft === undefined) throw new Error("nothing was granted");
    const { session } = made.draft;
    const { proof, token } = made;
    const admitted = await openLedger(one).admit({
      ...made,
      proof: { ...proof, expiresAt: at },
      token: { ...token, expiresAt: at },
      draft: { session, policy: policyOf(policy) },
    });
    expect(admitted.kind).toBe("opened");
    const rows = Array.from({ length: segments }, (_, index) => segmentOf(session.id, index + 1));
    for (let from = 0; from < rows.length; from += 1_000) {
      await one
        .insertInto("segments")
        .values(rows.slice(from, from + 1_000))
        .execute();
    }
    if (sealedAt !== undefined) {
      await endSession(one, session.id, { to: "sealed", from: ["active"], at: sealedAt });
    }
    return session;
  }

  async function find({ run, workload, id }: SessionRow, about: "session" | "job"): Promise<void> {
    await recordFinding(one, {
      run,
      workload,
      session: about === "session" ? id : null,
      kind: "takeover_attempt",
      detail: "somebody else",
      time: START,
    });
  }

  /** What was relayed for it, in the bucket or not yet, and what was minted for it. */
  async function relay(session: string, packedAt: number | null): Promise<void> {
    const chain = { session, first_seq: 0, last_seq: 1, prev: "p", head: "h", bytes: 1 };
    await one
      .insertInto("relay_records")
      .values({ ...chain, lines: "" })
      .execute();
    await one
      .insertInto("relay_segments")
      .values({ ...chain, segment: 1, sha256: "s", stored_at: START })
      .execute();
    const log = { session, next_seq: 2, head: "h", time: "", usage: "{}", totals: "{}", unpacked_bytes: 0 };
    await one
      .insertInto("relay_logs")
      .values({ ...log, sealed_at: START, packed_at: packedAt })
      .execute();
  }

  async function mint(session: string, state: MintedState): Promise<void> {
    const none = { secret_version: null, sealed: null, sealed_ticket: null, failure: null };
    const times = { created_at: START, expires_at: null, ended_at: null, next_attempt_at: null };
    const names = { credential: "c", owner: "", server: "s", basis: "b", digest: "d" };
    await one
      .insertInto("minted_credentials")
      .values({ ...none, ...times, ...names, id: randomUUID(), session, state, attempts: 0 })
      .execute();
  }

  async function sweep(days: number, retentionDays = 40): Promise<number> {
    let removed = 0;
    const sweeper = startSweeper(
      {
        ...{ database: one, now: () => START + days * DAY_MS, retentionDays },
        packRelays: async () => undefined,
      },
      {
        onExpired: () => undefined,
        onRemoved: (sessions) => {
          removed += sessions;
        },
        onError: () => undefined,
      },
    );
    try {
      await sweeper.sweep();
    } finally {
      sweeper.stop();
    }
    return removed;
  }

  /** Somebody began, and nobody came back. */
  async function connect(at: number): Promise<void> {
    const [id, state_hash] = [randomUUID(), randomUUID()];
    await addPendingConnection(one, {
      ...{ id, state_hash, credential: "notes", owner: "", created_at: at, expires_at: at + 600_000 },
    });
  }

  /** How many rows there are in every table of the database. */
  async function countRows(): Promise<Record<string, number>> {
    const tables = (await one.introspection.getTables()).map(({ name }) => name);
    const counts = tables.map(async (name): Promise<[string, number]> => {
      const { rows } = await sql<{
        count: unknown;
      }>`select count(*) as count from ${sql.table(name)}`.execute(one);
      return [name, Number(rows[0]?.count)];
    });
    return Object.fromEntries(await Promise.all(counts));
  }

  test("no table grows for ever: of sessions that are over nothing is left in any", async () => {
    const empty = await countRows();
    for (let generation = 0; generation < 3; generation += 1) {
      const workload = randomUUID();
      const policy = `policy of ${generation}`;
      const triager = await open({ workload, policy, segments: 3 });
      const sleeper = await open({ workload, policy, robot: "acme/payments/sleeper", sealedAt: START });
      await one.transaction().execute(async (db) => {
        const change = { session: triager.id, documents: "d", lost: "[]", time: START };
        await narrowSession(db, policyOf(`narrowed in ${generation}`), change);
      });
      await find(triager, "session");
      await find(triager, "job");
      await find(sleeper, "session");
      await relay(triager.id, START);
      await mint(triager.id, "ended");
      await connect(START);
      const full = await countRows();
      const unchanged = Object.keys(full).filter((name) => full[name] === empty[name]);
      // A table that is new is either filled here or known to last.
      expect(unchanged.filter((name) => !name.startsWith("kysely_")).sort()).toEqual([...LASTING].sort());
      await sweep(41);
      expect(await countRows()).toEqual(empty);
    }
  });

  test("a session is kept until its end is long enough ago, whatever it ended by, and for ever where it is so set", async () => {
    const expired = await open();
    const sealedEarly = await open({ at: START + DAY_MS, sealedAt: START });
    const sealedLate = await open({ sealedAt: START + DAY_MS });
    const ids = async () =>
      (await one.selectFrom("sessions").select("id").execute()).map(({ id }) => id).sort();
    expect(await sweep(40)).toBe(0);
    expect(await sweep(10_000, Number.POSITIVE_INFINITY)).toBe(0);
    expect(await sweep(40.5)).toBe(1);
    expect(await ids()).toEqual([sealedEarly.id, sealedLate.id].sort());
    expect(await findSession(one, expired.id)).toBeUndefined();
    expect(await sweep(41.5)).toBe(2);
    expect(await ids()).toEqual([]);
  });

  test("a session that is alive is kept, however long it lives", async () => {
    const alive = await open({ at: START + 500 * DAY_MS });
    await one.updateTable("sessions").set({ created_at: START }).execute();
    expect(await sweep(499)).toBe(0);
    expect((await findSession(one, alive.id))?.state).toBe("active");
  });

  test("what was relayed and is in no bucket yet keeps its session, what is to be ended at its issuer stays", async () => {
    const { id } = await open();
    await relay(id, null);
    await mint(id, "ending");
    expect(await sweep(41)).toBe(0);
    await one.updateTable("relay_logs").set({ packed_at: START }).execute();
    expect(await sweep(41)).toBe(1);
    expect(await countRows()).toMatchObject({ relay_logs: 0, relay_records: 0, minted_credentials: 1 });
  });

  test("takeover of a job whose other session was removed: the job stays bound to its key", async () => {
    const removed = await open({ workload: "w" });
    const kept = await open({ workload: "w", robot: "acme/payments/sleeper", at: START + 20 * DAY_MS });
    await find(removed, "session");
    await find(removed, "job");
    await find(kept, "session");
    expect(await sweep(41)).toBe(1);
    const findings = await one.selectFrom("findings").select("session").execute();
    expect(findings.map(({ session }) => session)).toEqual(expect.arrayContaining([null, kept.id]));
    expect(findings).toHaveLength(2);
    const late = await openLedger(one).admit(
      admissionOf({ workload: { id: "w", thumbprint: "another key" } }),
    );
    expect(late.kind).toBe("taken");
  });

  test("a policy stays while any session was given it, at its start or later", async () => {
    await open({ policy: "shared" });
    await open({ policy: "own" });
    const kept = await open({ policy: "shared", at: START + 20 * DAY_MS });
    const narrowed = await open({ policy: "before", at: START + 20 * DAY_MS });
    await open({ policy: "after" });
    await one.transaction().execute(async (db) => {
      const change = { session: narrowed.id, documents: "d", lost: "[]", time: START };
      await narrowSession(db, policyOf("after"), change);
    });
    expect(await sweep(41)).toBe(3);
    const digests = (await one.selectFrom("policies").select("digest").execute()).map(({ digest }) => digest);
    expect(digests.sort()).toEqual(["after", "before", "shared"]);
    expect((await findSession(one, kept.id))?.policy).toBe("shared");
  });

  test("long logs: two brokers that clean up at once leave nothing, and nobody sees half of a session", async () => {
    const sessions = [];
    for (const segments of [4_000, 4_000, 7_000, 0, 1, 2]) {
      sessions.push(await open({ policy: `p${segments}`, segments }));
    }
    for (let count = 0; count < 120; count += 1) await open();
    await sweep(0.5);
    const done = Promise.withResolvers<void>();
    const watch = async (): Promise<void> => {
      let over = false;
      void done.promise.then(() => (over = true));
      while (!over) {
        const rows = await two
          .selectFrom("sessions")
          .innerJoin("segments", "segments.session", "sessions.id")
          .select(({ fn }) => ["sessions.policy", fn.countAll<number | bigint | string>().as("segments")])
          .groupBy(["sessions.id", "sessions.policy"])
          .execute();
        for (const { policy, segments } of rows) expect(`p${segments}`).toBe(policy);
      }
    };
    const watching = watch();
    const before = START + DAY_MS;
    const removed = await Promise.all([removeSessions(one, before), removeSessions(two, before)]);
    done.resolve();
    await watching;
    const rest = await removeSessions(one, before);
    expect(removed.reduce((sum, each) => sum + each, rest)).toBe(sessions.length + 120);
    expect(await countRows()).toMatchObject({ sessions: 0, segments: 0, workloads: 0, policies: 0 });
  });

  describe("removed while it is wanted again", () => {
    test("exchanges that are given a policy in the moment it is removed get it all the same", async () => {
      const ledger = openLedger(two);
      for (let round = 0; round < 15; round += 1) {
        await open({ policy: "d" });
        await sweep(0.5);
        const [removed, ...admitted] = await Promise.all([
          removeSessions(one, START + DAY_MS),
          ...Array.from({ length: 4 }, async () => ledger.admit(admissionOf())),
        ]);
        expect(removed).toBe(1);
        expect(admitted.map(({ kind }) => kind)).toEqual(["opened", "opened", "opened", "opened"]);
        const policies = await one.selectFrom("policies").select("digest").execute();
        expect(policies).toEqual([{ digest: "d" }]);
        await one.deleteFrom("sessions").execute();
        await one.deleteFrom("policies").execute();
      }
    });
  });
});

function segmentOf(session: string, segment: number): SegmentRow {
  return {
    session,
    segment,
    bytes: 1,
    sha256: "s",
    md5: "m",
    first_seq: segment,
    last_seq: segment,
    prev: "p",
    head: "h",
    checkpoint: "c",
    announced_at: START,
  };
}
