/** What exchanges and renewals write, many in one commit: each is decided as if it had come alone. */
import fc from "../../../support/properties.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../../../broker/storage/database.ts";
import {
  type Admitted,
  type Exchange,
  type Ledger,
  openLedger,
} from "../../../../broker/storage/ledger/ledger.ts";
import type { Queries, SegmentRow } from "../../../../broker/storage/schema.ts";
import { listSegments } from "../../../../broker/storage/sessions/segments.ts";
import { endSession, findSession, fixFinalSegment } from "../../../../broker/storage/sessions/sessions.ts";
import { admissionOf } from "../../../support/admissions.ts";
import { describeOnBoth } from "../../../support/both-databases.ts";

/** One exchange: which job, key, robot, roles, token and proof, out of few, so that they meet. */
interface Tried {
  readonly job: number;
  readonly key: number;
  readonly robot: number;
  readonly roles: number;
  readonly token: number;
  readonly proof: number;
  readonly refused: boolean;
}

const few = fc.nat(2);
const tries = fc.array(
  fc.record({
    job: few,
    key: fc.nat(1),
    robot: fc.nat(1),
    roles: fc.nat(1),
    token: fc.nat(8),
    proof: fc.nat(8),
    refused: fc.boolean(),
  }),
  { maxLength: 12 },
);

/** The rules, one exchange after the other, without a database. */
function decideAlone(list: readonly Tried[]): string[] {
  const [proofs, tokens] = [new Set<string>(), new Set<number>()];
  const [owners, sessions] = [new Map<number, number>(), new Map<string, { roles: number; at: number }>()];
  return list.map(({ job, key, robot, roles, token, proof, refused }, at) => {
    const proofName = `${key} ${proof}`;
    if (proofs.has(proofName)) return "proof_replayed";
    proofs.add(proofName);
    if (tokens.has(token)) return "token_replayed";
    tokens.add(token);
    if ((owners.get(job) ?? key) !== key) return "taken";
    if (refused) return "nothing_granted";
    owners.set(job, key);
    const name = `${job} ${robot}`;
    const session = sessions.get(name) ?? { roles, at };
    sessions.set(name, session);
    return session.roles === roles ? `opened ${session.at}` : "differs";
  });
}

/** In one group: another one leaves before them. */
async function admitTogether(ledger: Ledger, exchanges: readonly Exchange[]): Promise<Admitted[]> {
  const ahead = [admissionOf()];
  const outcomes = await Promise.all([...ahead, ...exchanges].map(async (each) => ledger.admit(each)));
  return outcomes.slice(ahead.length);
}

describeOnBoth((create) => {
  let database: Queries;
  let ledger: Ledger;
  let worlds = 0;
  beforeAll(async () => {
    database = await openDatabase(await create());
    ledger = openLedger(database);
  });
  afterAll(async () => {
    await database.destroy();
  });

  /** In a world of its own: nothing of it was seen before. */
  const admissionsOf = (list: readonly Tried[]): Exchange[] => {
    worlds += 1;
    const world = `world-${worlds}`;
    return list.map(({ job, key, robot, roles, token, proof, refused }) =>
      admissionOf({
        workload: { id: `${world} ${job}`, thumbprint: `${world} ${key}` },
        session: { robot: `robot-${robot}`, roles: `roles-${roles}` },
        jti: `${world} ${token}`,
        proofJti: `${world} ${proof}`,
        refused,
      }),
    );
  };
  /** As `decideAlone` writes it. */
  const write = (outcomes: readonly Admitted[], admissions: readonly Exchange[]): string[] =>
    outcomes.map((outcome) =>
      outcome.kind === "opened"
        ? `opened ${admissions.findIndex(({ draft }) => draft?.session.id === outcome.session.id)}`
        : outcome.kind,
    );

  test("any exchanges, all in one group, are decided as the rules decide them one after the other", async () => {
    await fc.assert(
      fc.asyncProperty(tries, async (given) => {
        // A refused one binds nothing; in a group it is asked about jobs after those that do.
        const list = given.toSorted((left, right) => Number(left.refused) - Number(right.refused));
        const admissions = admissionsOf(list);
        const outcomes = await admitTogether(ledger, admissions);
        expect(write(outcomes, admissions)).toEqual(decideAlone(list));
      }),
      { numRuns: 60 },
    );
  });

  test("any exchanges, one group after the other, are decided as the rules decide them", async () => {
    await fc.assert(
      fc.asyncProperty(tries, async (list) => {
        const admissions = admissionsOf(list);
        const outcomes: Admitted[] = [];
        for (const admission of admissions) outcomes.push(await ledger.admit(admission));
        expect(write(outcomes, admissions)).toEqual(decideAlone(list));
      }),
      { numRuns: 15 },
    );
  });

  test("a later attempt is one of the same run only: of the same issuer and repository", async () => {
    const run = { run_id: "77", run_attempt: "1", iss: "https://one.example", repository_id: "7" };
    const admitOne = async (parts: Partial<typeof run>, thumbprint = "key"): Promise<string> =>
      (await ledger.admit(admissionOf({ workload: { ...run, ...parts, thumbprint } }))).kind;
    expect(await admitOne({ iss: "https://two.example", run_attempt: "2" })).toBe("opened");
    expect(await admitOne({ repository_id: "8", run_attempt: "2" })).toBe("opened");
    expect(await admitOne({ run_id: "78", run_attempt: "2" })).toBe("opened");
    expect(await admitOne({})).toBe("opened");
    expect(await admitOne({ run_attempt: "2" })).toBe("opened");
    expect(await admitOne({})).toBe("attempt_over");
  });

  test("in one group, an attempt that is over opens nothing and does not keep the others from it", async () => {
    const run = { run_id: "79", repository_id: "7" };
    await ledger.admit(admissionOf({ workload: { ...run, run_attempt: "3" } }));
    const admissions = [
      admissionOf({ workload: { ...run, run_attempt: "2" } }),
      admissionOf(),
      admissionOf({ workload: { ...run, run_attempt: "3" } }),
      admissionOf({ workload: { ...run, run_attempt: "2" }, refused: true }),
    ];
    const outcomes = await admitTogether(ledger, admissions);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["attempt_over", "opened", "opened", "nothing_granted"]);
    const bound = await database
      .selectFrom("workloads")
      .select("run_attempt")
      .where("run_id", "=", "79")
      .execute();
    expect(bound.map(({ run_attempt }) => run_attempt)).toEqual(["3", "3"]);
  });

  test("fifty at once for one job with keys of their own: one opens, the others are takeovers, twenty are noted", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        ledger.admit(admissionOf({ workload: { id: "contested", thumbprint: `key-${index}` } })),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === "opened")).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === "taken")).toHaveLength(49);
    const findings = await database
      .selectFrom("findings")
      .select(["detail"])
      .where("workload", "=", "contested")
      .execute();
    expect(findings).toHaveLength(20);
    const owner = outcomes.findIndex(({ kind }) => kind === "opened");
    expect(new Set(findings.map(({ detail }) => detail))).toEqual(new Set([`owned by key-${owner}`]));
  });

  test("one whose rows the database refuses fails alone: those that share its commit do not", async () => {
    const broken = admissionOf({ session: { binding: Number.NaN } });
    const results = await Promise.allSettled([
      ...Array.from({ length: 5 }, async () => ledger.admit(admissionOf())),
      ledger.admit(broken),
      ...Array.from({ length: 5 }, async () => ledger.admit(admissionOf())),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 5 }, () => "fulfilled"),
      "rejected",
      ...Array.from({ length: 5 }, () => "fulfilled"),
    ]);
    // And nothing of it was written.
    expect((await ledger.admit(admissionOf({ jti: broken.token.jti }))).kind).toBe("opened");
  });

  test("an exchange that is repeated finds its session, prolonged up to its end", async () => {
    const first = admissionOf({ workload: { id: "repeated" } });
    const opened = await ledger.admit(first);
    const created_at = Date.now() + 600_000;
    const again = await ledger.admit(admissionOf({ workload: { id: "repeated" }, session: { created_at } }));
    expect(opened.kind).toBe("opened");
    expect(again).toMatchObject({ kind: "opened", session: { id: first.draft?.session.id } });
    const row = await findSession(database, first.draft?.session.id ?? "");
    expect(row?.expires_at).toBe(created_at + 900_000);
    const late = row?.max_expires_at ?? 0;
    const ended = await ledger.admit(
      admissionOf({ workload: { id: "repeated" }, session: { created_at: late } }),
    );
    expect(ended.kind).toBe("ended");
  });

  describe("announcements", () => {
    const START = "start";
    const segmentOf = (session: string, segment: number, parts: Partial<SegmentRow> = {}) => ({
      start: START,
      row: {
        session,
        segment,
        bytes: 1,
        sha256: "s",
        md5: "m",
        first_seq: segment - 1,
        last_seq: segment - 1,
        prev: segment === 1 ? START : `head-${segment - 1}`,
        head: `head-${segment}`,
        checkpoint: `${session}-${segment}`,
        announced_at: 1,
        ...parts,
      },
    });
    const openSession = async (): Promise<string> => {
      const exchange = admissionOf();
      await ledger.admit(exchange);
      return exchange.draft?.session.id ?? "";
    };

    test("of many sessions at once, several of each in order, are kept; what does not follow is not", async () => {
      const sessions = await Promise.all(Array.from({ length: 6 }, openSession));
      const outcomes = await Promise.all(
        sessions.flatMap((session) => [
          ledger.announce(segmentOf(session, 1)),
          ledger.announce(segmentOf(session, 2)),
          ledger.announce(segmentOf(session, 4)),
          ledger.announce(segmentOf(session, 3, { prev: "another log" })),
          ledger.announce(segmentOf(session, 3, { first_seq: 7 })),
          ledger.announce(segmentOf(session, 3)),
        ]),
      );
      const kinds = ["kept", "kept", "out_of_order", "out_of_order", "out_of_order", "kept"];
      expect(outcomes.map(({ kind }) => kind)).toEqual(sessions.flatMap(() => kinds));
      for (const session of sessions) {
        const rows = await listSegments(database, session);
        expect(rows).toEqual([1, 2, 3].map((segment) => segmentOf(session, segment).row));
      }
    });

    test("of one number, twice at once: the first is kept, and is the answer to both", async () => {
      const session = await openSession();
      const outcomes = await Promise.all([
        ledger.announce(segmentOf(session, 1, { sha256: "first" })),
        ledger.announce(segmentOf(session, 1, { sha256: "second" })),
      ]);
      const row = segmentOf(session, 1, { sha256: "first" }).row;
      expect(outcomes).toEqual([
        { kind: "kept", row },
        { kind: "kept", row },
      ]);
    });

    test("after the last segment that a request to seal named: refused, with what the session is", async () => {
      const session = await openSession();
      await ledger.announce(segmentOf(session, 1));
      await fixFinalSegment(database, session, 1);
      expect(await ledger.announce(segmentOf(session, 2))).toEqual({
        kind: "over",
        session: { id: session, state: "active", final_segment: 1 },
      });
    });

    test("of a session that is not there fails alone: the exchange that shares its commit does not", async () => {
      const [ahead, lost, exchanged] = await Promise.allSettled([
        ledger.admit(admissionOf()),
        ledger.announce(segmentOf("ses_unknown", 1)),
        ledger.admit(admissionOf()),
      ]);
      expect([ahead.status, lost.status, exchanged.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
    });
  });

  test("a takeover attempt whose text is cut in the middle of a letter is recorded all the same", async () => {
    await ledger.admit(admissionOf({ workload: { id: "cut", thumbprint: "owner" } }));
    const attempt = admissionOf({ workload: { id: "cut", thumbprint: "other" } });
    const taken = await ledger.admit({ ...attempt, takeover: { before: "by ", after: ", \ud83d" } });
    expect(taken.kind).toBe("taken");
    const findings = await database
      .selectFrom("findings")
      .select("detail")
      .where("workload", "=", "cut")
      .execute();
    expect(findings).toEqual([{ detail: "by owner, \ufffd" }]);
  });

  describe("renewals", () => {
    const renewalOf = (jti: string, id: string | undefined, expiresAt = Date.now() + 1_000_000) => ({
      token: { iss: "i", jti, expiresAt: Date.now() },
      prolongation: id === undefined ? undefined : { id, expiresAt },
    });

    test("many at once: each token is spent once, each session gets its own expiry, none that has ended", async () => {
      const admissions = Array.from({ length: 12 }, () => admissionOf());
      await Promise.all(admissions.map(async (admission) => ledger.admit(admission)));
      const ids = admissions.map(({ draft }) => draft?.session.id ?? "");
      await endSession(database, ids[0] ?? "", { to: "revoked", from: ["active"], at: 1 });
      const outcomes = await Promise.all([
        ...ids.map(async (id, index) => ledger.renew(renewalOf(`renew-${index}`, id, 5_000_000 + index))),
        ledger.renew(renewalOf("renew-1", ids[2], 1)),
        ledger.renew(renewalOf("renew-of-nothing", undefined)),
        ledger.renew(renewalOf("renew-of-unknown", "ses_unknown")),
      ]);
      expect(outcomes).toEqual([
        "not_prolonged",
        ...Array.from({ length: 11 }, () => "prolonged"),
        "token_replayed",
        "not_prolonged",
        "not_prolonged",
      ]);
      for (const [index, id] of ids.slice(1).entries()) {
        expect((await findSession(database, id))?.expires_at).toBe(5_000_001 + index);
      }
      expect(await ledger.renew(renewalOf("renew-of-nothing", undefined))).toBe("token_replayed");
    });
  });
});

test("a disk whose commits take 20 ms: a hundred exchanges at once need a few of them, not a hundred", async () => {
  const { mkdtemp, rm } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const { tmpdir } = await import("node:os");
  const directory = await mkdtemp(join(tmpdir(), "lanyard-slow-"));
  const database = await openDatabase({
    kind: "sqlite",
    path: join(directory, "a.sqlite"),
    commitDelayMs: 20,
  });
  const ledger = openLedger(database);
  const since = performance.now();
  const alone = await ledger.admit(admissionOf());
  expect(alone.kind).toBe("opened");
  expect(performance.now() - since).toBeGreaterThan(19);
  const started = performance.now();
  const outcomes = await Promise.all(Array.from({ length: 100 }, async () => ledger.admit(admissionOf())));
  expect(outcomes.every(({ kind }) => kind === "opened")).toBe(true);
  expect(performance.now() - started).toBeLessThan(1_000);
  await database.destroy();
  await rm(directory, { recursive: true, force: true });
});
