/** What exchanges and renewals write, many in one commit: each is decided as if it had come alone. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Admission, type Admitted, admit } from "../../../broker/storage/admissions.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import { type Ledger, openLedger } from "../../../broker/storage/ledger.ts";
import type { Queries } from "../../../broker/storage/schema.ts";
import { endSession, findSession } from "../../../broker/storage/sessions.ts";
import { inTransaction } from "../../../broker/storage/transactions.ts";
import { admissionOf } from "../../support/admissions.ts";
import { describeOnBoth } from "../../support/both-databases.ts";

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
  const admissionsOf = (list: readonly Tried[]): Admission[] => {
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
  const write = (outcomes: readonly Admitted[], admissions: readonly Admission[]): string[] =>
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
        const outcomes = await inTransaction(database, async (db) => admit(db, admissions));
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
